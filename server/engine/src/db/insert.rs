//! Rows to insert: columns, types and statement are declared once.

use super::{statement::Statement, value::Value};

/// A row to insert into a table. [`insert!`](crate::insert) declares them.
pub trait Insert {
    /// The statement, for any number of rows.
    fn statement() -> &'static Statement;
    /// Appends its values, in the order of the statement's parameters.
    fn values(self, to: &mut Vec<Value>);
}

/// The number of rows, and all their values.
pub(super) fn given<R: Insert>(rows: impl IntoIterator<Item = R>) -> (usize, Vec<Value>) {
    let (mut count, mut values) = (0, Vec::new());
    for row in rows {
        row.values(&mut values);
        count += 1;
    }
    (count, values)
}

/// Declares structs that are rows of a table, with a field per column, and registers their statements.
/// Columns after `;` always have the given SQL value. What follows the struct follows the values.
///
/// ```text
/// insert! {
///     struct AddMail into mailbox {
///         id: MailId,
///         subject: String;
///         state = "'written'",
///     } "ON CONFLICT (id) DO NOTHING"
/// }
/// tx.insert(AddMail { id, subject }).await?;
/// ```
#[macro_export]
macro_rules! insert {
    (@columns $first:ident $($more:ident)*) => {
        concat!(stringify!($first) $(, ", ", stringify!($more))*)
    };
    (@values [$last:ident] $number:literal $($numbers:literal)*) => {
        concat!("$", $number)
    };
    (@values [$first:ident $($more:ident)+] $number:literal $($numbers:literal)+) => {
        concat!("$", $number, ", ", $crate::insert!(@values [$($more)+] $($numbers)+))
    };
    ($($(#[$meta:meta])* $vis:vis struct $name:ident $(<$life:lifetime>)? into $table:ident {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),+ $(,)?
        $(; $($fixed:ident = $sql:literal),+ $(,)?)?
    } $($behind:literal)?)*) => {$(
        $(#[$meta])*
        $vis struct $name $(<$life>)? { $($(#[$field_meta])* $field_vis $field: $type,)+ }
        const _: () = {
            static STATEMENT: $crate::db::Statement = $crate::db::Statement::new(
                concat!(module_path!(), "::", stringify!($name)),
                concat!(
                    "INSERT INTO ", stringify!($table), " (",
                    $crate::insert!(@columns $($field)+ $($($fixed)+)?),
                    ") VALUES [(",
                    $crate::insert!(@values [$($field)+] 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20),
                    $($(", ", $sql,)+)?
                    ")]" $(, " ", $behind)?
                ),
            );
            ::inventory::submit! { $crate::db::Registered(&STATEMENT) }
            impl $(<$life>)? $crate::db::Insert for $name $(<$life>)? {
                fn statement() -> &'static $crate::db::Statement {
                    &STATEMENT
                }
                fn values(self, to: &mut ::std::vec::Vec<$crate::db::Value>) {
                    to.extend([$($crate::db::Value::from(self.$field)),+]);
                }
            }
        };
    )*};
}

#[cfg(test)]
mod tests {
    use super::*;

    insert! {
        struct AddOne<'a> into migrations {
            number: i64,
            name: &'a str;
            checksum = "''",
            applied_at = "0",
        } "ON CONFLICT DO NOTHING"
        struct AddAnother into migrations { number: i64 }
    }

    #[test]
    fn a_row_is_put_in_by_the_names_of_its_fields() {
        assert_eq!(
            AddOne::statement().sql,
            "INSERT INTO migrations (number, name, checksum, applied_at) VALUES [($1, $2, '', 0)] ON CONFLICT DO NOTHING"
        );
        assert_eq!(AddAnother::statement().sql, "INSERT INTO migrations (number) VALUES [($1)]");
        assert!(AddOne::statement().name.ends_with("::tests::AddOne"));
    }

    #[test]
    fn rows_are_given_one_behind_the_other() {
        let (count, values) = given([AddOne { name: "a", number: 1 }, AddOne { name: "b", number: 2 }]);
        assert_eq!(count, 2);
        assert_eq!(values, [1i64.into(), "a".into(), 2i64.into(), Value::from("b")]);
        assert_eq!(given([AddAnother { number: 3 }]), (1, vec![3i64.into()]));
    }
}
