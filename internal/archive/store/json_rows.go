// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// jsonType of a value that is written from JSON.
type jsonType uint8

const (
	jsonText    jsonType = iota
	jsonInstant          // as instantText writes it
	jsonInteger
	jsonNumber
)

// insertJSON inserts rows into small tables that have no prepared statement: one
// statement, whose parameter is a JSON array of arrays.
func insertJSON(ctx context.Context, d dialect, tx transaction, into string, types []jsonType, rows [][]any, conflict string) error {
	if len(rows) == 0 {
		return nil
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = tx.execPrepared(ctx, "INSERT INTO "+into+" SELECT "+d.fromJSON(types)+" "+conflict, string(text))
	return err
}

func (*sqliteDialect) fromJSON(types []jsonType) string {
	columns := make([]string, len(types))
	for i := range types {
		columns[i] = fmt.Sprintf("json_extract(value, '$[%d]')", i)
	}
	// Without a WHERE, ON CONFLICT behind a SELECT is read as a join's ON.
	return strings.Join(columns, ", ") + " FROM json_each($1) WHERE true"
}

func (*postgresDialect) fromJSON(types []jsonType) string {
	casts := map[jsonType]string{jsonText: "", jsonInstant: "::timestamp AT TIME ZONE 'UTC'", jsonInteger: "::bigint", jsonNumber: "::double precision"}
	columns := make([]string, len(types))
	for i, kind := range types {
		columns[i] = fmt.Sprintf("(t->>%d)%s", i, casts[kind])
	}
	return strings.Join(columns, ", ") + " FROM jsonb_array_elements($1::jsonb) AS t"
}
