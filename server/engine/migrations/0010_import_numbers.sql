-- Lines of a file that could not be read.
ALTER TABLE imports ADD COLUMN unread BIGINT NOT NULL DEFAULT 0;
-- What stands before the decimals of the file's numbers; empty where nobody said so.
ALTER TABLE imports ADD COLUMN decimal_mark TEXT NOT NULL DEFAULT '' CHECK (decimal_mark IN ('', 'point', 'comma'));
-- The first number that can be read in two ways, and the first prices, as JSON, opaque to the database; empty for none.
ALTER TABLE imports ADD COLUMN question TEXT NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN prices TEXT NOT NULL DEFAULT '';
