//! What clients ask of features' properties.
//!
//! | Module | Holds |
//! |---|---|
//! | `filters` | [`PropertyFilters`]: what properties must be |
//! | `value` | [`Value`]: what one is |
//! | `column` | [`Column`]: what one is for each feature of an event |
//! | `fields` | [`Fields`]: which properties are sent |
//! | `bbox_keyword` | [`BboxKeyword`]: which words behind BBOX are about properties |

mod bbox_keyword;
mod column;
mod fields;
mod filters;
mod value;

pub use bbox_keyword::{BboxKeyword, BboxKeywordError};
pub(crate) use column::Column;
pub use fields::Fields;
pub use filters::PropertyFilters;
pub(crate) use value::Value;
