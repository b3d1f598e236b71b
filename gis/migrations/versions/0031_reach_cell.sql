-- The cell of the place by which a message concerns its recipient: what the record shows stays true when the person moves,
-- and looking at it needs no place of anybody. Half of a 3次メッシュ (JIS X 0410): 15″ of latitude, 22.5″ of longitude from 100° E.
ALTER TABLE alerts.delivery
    ADD COLUMN cell_north int,  -- NULL: frozen before this column was there, or a person without a place
    ADD COLUMN cell_east int;
