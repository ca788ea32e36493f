/// A value, unless it is too long to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisValue {
    /// All of it.
    Whole(Vec<u8>),
    /// It has so many bytes, which are not read.
    Longer(u64),
}
