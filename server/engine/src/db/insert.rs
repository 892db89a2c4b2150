//! Rows that a statement is given: their columns, types and statement are declared once.

use super::{statement::Statement, value::Value};

/// A row that a statement is given. [`insert!`](crate::insert) and [`update!`](crate::update) declare them.
pub trait Given {
    /// The statement, for any number of rows.
    fn statement() -> &'static Statement;
    /// Appends its values, in the order of the statement's parameters.
    fn values(self, to: &mut Vec<Value>);
}

/// The number of rows, and all their values.
pub(super) fn given<R: Given>(rows: impl IntoIterator<Item = R>) -> (usize, Vec<Value>) {
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
///     struct AddEmail into mailbox {
///         id: EmailId,
///         subject: String;
///         state = "'written'",
///     } "ON CONFLICT (id) DO NOTHING"
/// }
/// tx.insert(AddEmail { id, subject }).await?;
/// ```
///
/// After `=>`, the rows are selected instead: from `given`, whose columns are the fields, joined to other
/// tables. Fields in brackets are not columns of the table.
///
/// ```text
/// insert! {
///     struct AddPayment into payments {
///         id: PaymentId;
///         checkout_id = "c.id",
///         amount_minor = "c.total_minor",
///     } => [checkout: CheckoutId] "given JOIN checkouts c ON c.id = given.checkout"
/// }
/// ```
#[macro_export]
macro_rules! insert {
    (@columns $first:ident $($more:ident)*) => {
        concat!(stringify!($first) $(, ", ", stringify!($more))*)
    };
    (@given $first:ident $($more:ident)*) => {
        concat!("given.", stringify!($first) $(, ", given.", stringify!($more))*)
    };
    (@values $fields:tt) => {
        $crate::insert!(@values $fields 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28)
    };
    (@values [$last:ident] $number:literal $($numbers:literal)*) => {
        concat!("$", $number)
    };
    (@values [$first:ident $($more:ident)+] $number:literal $($numbers:literal)+) => {
        concat!("$", $number, ", ", $crate::insert!(@values [$($more)+] $($numbers)+))
    };
    (@sql $table:ident [$($field:ident)+] [$($fixed:ident $sql:literal)*] [] [$($behind:literal)?]) => {
        concat!(
            "INSERT INTO ", stringify!($table), " (", $crate::insert!(@columns $($field)+ $($fixed)*),
            ") VALUES [(", $crate::insert!(@values [$($field)+]), $(", ", $sql,)* ")]" $(, " ", $behind)?
        )
    };
    (@sql $table:ident [$($field:ident)+] [$($fixed:ident $sql:literal)*] [$from:literal $($extra:ident)*] []) => {
        concat!(
            "WITH given (", $crate::insert!(@columns $($field)+ $($extra)*),
            ") AS (VALUES [(", $crate::insert!(@values [$($field)+ $($extra)*]), ")]) INSERT INTO ",
            stringify!($table), " (", $crate::insert!(@columns $($field)+ $($fixed)*),
            ") SELECT ", $crate::insert!(@given $($field)+), $(", ", $sql,)* " FROM ", $from
        )
    };
    // The struct itself; `update!` uses it, too.
    (@row $sql:expr; $(#[$meta:meta])* $vis:vis struct $name:ident [$($life:lifetime)?] {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)+
    }) => {
        $(#[$meta])*
        $vis struct $name $(<$life>)? { $($(#[$field_meta])* $field_vis $field: $type,)+ }
        const _: () = {
            static STATEMENT: $crate::db::Statement =
                $crate::db::Statement::new(concat!(module_path!(), "::", stringify!($name)), $sql);
            ::inventory::submit! { $crate::db::Registered(&STATEMENT) }
            impl $(<$life>)? $crate::db::Given for $name $(<$life>)? {
                fn statement() -> &'static $crate::db::Statement {
                    &STATEMENT
                }
                fn values(self, to: &mut ::std::vec::Vec<$crate::db::Value>) {
                    to.extend([$($crate::db::Value::from(self.$field)),+]);
                }
            }
        };
    };
    ($($(#[$meta:meta])* $vis:vis struct $name:ident $(<$life:lifetime>)? into $table:ident {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),+ $(,)?
        $(; $($fixed:ident = $sql:literal),+ $(,)?)?
    } $(=> $([$($extra:ident: $extra_type:ty),+])? $from:literal)? $($behind:literal)?)*) => {$(
        $crate::insert! {
            @row $crate::insert!(
                @sql $table [$($field)+] [$($($fixed $sql)+)?] [$($from $($($extra)+)?)?] [$($behind)?]
            );
            $(#[$meta])*
            $vis struct $name [$($life)?] {
                $($(#[$field_meta])* $field_vis $field: $type,)+
                $($($($extra: $extra_type,)+)?)?
            }
        }
    )*};
}

/// Declares structs whose fields are the columns of `given` in the statement behind `=>`, and registers the
/// statements.
///
/// ```text
/// update! {
///     struct SetTitle<'a> { id: ProductId, title: &'a str }
///         => "UPDATE products SET title = given.title FROM given WHERE products.id = given.id"
/// }
/// tx.update_all(titles).await?;
/// ```
#[macro_export]
macro_rules! update {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident $(<$life:lifetime>)? {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),+ $(,)?
    } => $sql:literal)*) => {$(
        $crate::insert! {
            @row concat!(
                "WITH given (", $crate::insert!(@columns $($field)+),
                ") AS (VALUES [(", $crate::insert!(@values [$($field)+]), ")]) ", $sql
            );
            $(#[$meta])*
            $vis struct $name [$($life)?] { $($(#[$field_meta])* $field_vis $field: $type,)+ }
        }
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
        struct AddNext into migrations {
            number: i64;
            name = "m.name",
            checksum = "''",
            applied_at = "0",
        } => [last: i64] "given JOIN migrations m ON m.number = given.last"
    }

    update! {
        struct Rename<'a> { number: i64, name: &'a str }
            => "UPDATE migrations SET name = given.name FROM given WHERE migrations.number = given.number"
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
    fn a_statement_reads_what_it_is_given_by_name() {
        assert_eq!(
            AddNext::statement().sql,
            "WITH given (number, last) AS (VALUES [($1, $2)]) INSERT INTO migrations (number, name, checksum, applied_at) \
             SELECT given.number, m.name, '', 0 FROM given JOIN migrations m ON m.number = given.last"
        );
        assert_eq!(
            Rename::statement().sql,
            "WITH given (number, name) AS (VALUES [($1, $2)]) \
             UPDATE migrations SET name = given.name FROM given WHERE migrations.number = given.number"
        );
        assert_eq!(given([AddNext { number: 2, last: 1 }]), (1, vec![2i64.into(), 1i64.into()]));
        assert_eq!(given([Rename { number: 1, name: "a" }]), (1, vec![1i64.into(), "a".into()]));
    }

    #[test]
    fn rows_are_given_one_behind_the_other() {
        let (count, values) = given([AddOne { name: "a", number: 1 }, AddOne { name: "b", number: 2 }]);
        assert_eq!(count, 2);
        assert_eq!(values, [1i64.into(), "a".into(), 2i64.into(), Value::from("b")]);
        assert_eq!(given([AddAnother { number: 3 }]), (1, vec![3i64.into()]));
    }
}
