-- Nothing read this record of changed products.
DROP TABLE changes;
