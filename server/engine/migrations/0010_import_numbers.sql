-- The number of lines in the file that could not be read.
ALTER TABLE imports ADD COLUMN unread BIGINT NOT NULL DEFAULT 0;
-- The decimal separator of the file's numbers; empty if it was not specified.
ALTER TABLE imports ADD COLUMN decimal_mark TEXT NOT NULL DEFAULT '' CHECK (decimal_mark IN ('', 'point', 'comma'));
-- The first ambiguous number, and sample prices, as JSON, opaque to the database; empty if there are none.
ALTER TABLE imports ADD COLUMN question TEXT NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN prices TEXT NOT NULL DEFAULT '';
