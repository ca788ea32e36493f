//! As much of Protocol Buffers' encoding as traces have.

/// Fields by their numbers, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message(Vec<(u64, Value)>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    /// Text, or a message.
    Bytes(Vec<u8>),
}

impl Message {
    /// # Panics
    ///
    /// They are none.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let (mut fields, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let tag = varint(&mut rest);
            let value = match tag & 7 {
                0 => Value::Number(varint(&mut rest)),
                1 => Value::Number(u64::from_le_bytes(taken(&mut rest, 8).try_into().expect("eight bytes"))),
                2 => {
                    let length = varint(&mut rest);
                    Value::Bytes(taken(&mut rest, usize::try_from(length).expect("it fits")).to_vec())
                }
                5 => Value::Number(
                    u32::from_le_bytes(taken(&mut rest, 4).try_into().expect("four bytes")).into(),
                ),
                kind => panic!("a field of kind {kind}"),
            };
            fields.push((tag >> 3, value));
        }
        Self(fields)
    }

    pub(crate) fn fields(&self) -> &[(u64, Value)] {
        &self.0
    }

    /// All messages in a field.
    pub(crate) fn messages(&self, field: u64) -> Vec<Self> {
        let bytes = |(number, value): &(u64, Value)| match value {
            Value::Bytes(bytes) if *number == field => Some(Self::read(bytes)),
            _ => None,
        };
        self.0.iter().filter_map(bytes).collect()
    }

    /// The text in a field.
    pub(crate) fn text(&self, field: u64) -> Option<String> {
        self.0.iter().find_map(|(number, value)| match value {
            Value::Bytes(bytes) if *number == field => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        })
    }
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = taken(rest, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn taken<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, behind) = rest.split_at(length);
    *rest = behind;
    taken
}
