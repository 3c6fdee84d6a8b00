//! Responses that show the fields of a row.

/// Declares a response with fields of a row of `certvakt-store`, and its conversion from the row.
macro_rules! response_of {
    ($row:path => $(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$meta])*
        #[allow(clippy::struct_field_names, reason = "the names are those of the response")]
        #[derive(serde::Serialize, utoipa::ToSchema)]
        pub(super) struct $name {
            $($(#[$field_meta])* $field: $type),*
        }

        impl From<$row> for $name {
            fn from(row: $row) -> Self {
                Self { $($field: <$type>::from(row.$field)),* }
            }
        }
    };
}

pub(super) use response_of;
