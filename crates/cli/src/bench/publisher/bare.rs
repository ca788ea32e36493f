use std::io::{self, Read};

use super::{Publication, Refusal, Wire};

/// To the bare loop of `bench limit`: how many messages, then each with its length; numbers are `u32`, little end first.
#[derive(Debug)]
pub(super) struct Bare;

impl Wire for Bare {
    fn encode(&self, batch: &[Publication], out: &mut Vec<u8>) -> u64 {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        out.extend_from_slice(&number(batch.len()));
        for Publication { payload, .. } in batch {
            out.extend_from_slice(&number(payload.len()));
            out.extend_from_slice(payload);
        }
        batch.len() as u64
    }

    fn answers(&self, input: &[u8]) -> Result<(usize, u64), Refusal> {
        if input.iter().any(|&byte| byte != ACKNOWLEDGEMENT) {
            return Err(Refusal::Protocol("bare loop"));
        }
        Ok((input.len(), input.len() as u64))
    }
}

/// Reads what was published in one go; none if the publisher is gone.
pub(in crate::bench) fn read_batch(input: &mut impl Read) -> io::Result<Option<Vec<Vec<u8>>>> {
    let count = match number(input) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        count => count?,
    };
    (0..count)
        .map(|_| {
            let mut payload = vec![0; number(input)?];
            input.read_exact(&mut payload)?;
            Ok(payload)
        })
        .collect::<io::Result<_>>()
        .map(Some)
}

fn number(input: &mut impl Read) -> io::Result<usize> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes) as usize)
}

/// One for each message that was written to all.
pub(in crate::bench) const ACKNOWLEDGEMENT: u8 = b'+';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let batch = vec![b"one".to_vec(), Vec::new(), vec![b'x'; 70_000]];
        let publications: Vec<Publication> = batch.iter().cloned().map(Publication::from).collect();
        let mut out = Vec::new();
        assert_eq!(Bare.encode(&publications, &mut out), 3);
        let mut input = out.as_slice();
        assert_eq!(read_batch(&mut input).unwrap(), Some(batch));
        assert_eq!(read_batch(&mut input).unwrap(), None);
        assert!(read_batch(&mut &out[..20]).is_err());
    }
}
