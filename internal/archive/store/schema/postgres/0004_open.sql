-- What is open in a call is found by the call, whose trace may change.
CREATE INDEX call_legs_open_by_call ON call_legs (call_id) WHERE phase < 4;
CREATE INDEX recordings_open_by_call ON recordings (call_id) WHERE phase < 4;
