// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Erasure says who is erased, and how. A row of theirs stays, without the values that name
// them: how many called whom, for how long and how well, is still counted.
type Erasure struct {
	// Addresses and Names of the person, as the archive has them. The case of the letters
	// a to z makes no difference. A leg that has one of them is the person's, and loses
	// its name and all its addresses.
	Addresses, Names []string
	// Pseudonym stands in the place of each text, so that the rows of one person are
	// still seen to be one person's; "" removes the texts.
	Pseudonym string
	// Held includes rows that a hold keeps.
	Held bool
	// DryRun changes nothing.
	DryRun bool
}

// Erased counts the rows that an erasure changed or, in a dry run, would change.
type Erased struct {
	// Rows by table.
	Rows map[string]int64
	// Running are rows of running objects: the next record may name the person again.
	Running int64
	// Held are rows that were left because of a hold.
	Held int64
	// Names and Addresses that the rows had, by which more may be found.
	Names, Addresses map[string]int64
}

// ErrNobody says that an erasure names no person.
var ErrNobody = errors.New("an address or a name is needed")

// erasedTable says where a table names people.
type erasedTable struct {
	name, key string
	// byAddress and byName are the columns by which rows are found. Lists have no index:
	// the whole table is read for them.
	byAddress, byName []string
	// own are columns that name the person whose row it is; lists have several people.
	own, lists []string
	documents  []string
	running    bool // rows have a state
}

// sides are the columns of a dialog's two parties: one of them is the person.
var dialogSides = [][2]string{{"from_party", "from_name"}, {"to_party", "to_name"}}

var erasedTables = []erasedTable{
	{
		name: "call_legs", key: "id", byAddress: []string{"remote_party", "local_address", "owner_id"}, byName: []string{"display_name"},
		own: []string{"display_name", "remote_party", "remote_address"}, lists: []string{"local_address", "owner_id"}, documents: []string{"details", "draft"}, running: true,
	},
	{name: "dialogs", key: "id", byAddress: []string{"from_party", "to_party"}, byName: []string{"from_name", "to_name"}, documents: []string{"details", "draft"}, running: true},
	{name: "calls", key: "id", byName: []string{"owner_name"}, own: []string{"owner_name"}, documents: []string{"details", "draft"}, running: true},
	{name: "conferences", key: "trace_id", byName: []string{"owner_name"}, own: []string{"owner_name"}, running: true},
	{name: "sessions", key: "id", byAddress: []string{"parties"}, byName: []string{"parties"}, lists: []string{"parties"}, documents: []string{"tags", "urls", "details", "draft"}, running: true},
	{name: "tracks", key: "id", byAddress: []string{"parties"}, byName: []string{"parties"}, lists: []string{"parties"}, documents: []string{"participants", "tags", "details", "draft"}, running: true},
}

// eraseStep is how many rows are changed in one transaction.
const eraseStep = 200

// Erase removes a person from all rows, in small transactions. After an error it can
// be run again.
func (s *Store) Erase(ctx context.Context, e Erasure) (Erased, error) {
	done := Erased{Rows: map[string]int64{}, Names: map[string]int64{}, Addresses: map[string]int64{}}
	e.Addresses, e.Names = cleaned(e.Addresses), cleaned(e.Names)
	if len(e.Addresses)+len(e.Names) == 0 {
		return done, ErrNobody
	}
	for _, t := range erasedTables {
		last := ""
		for {
			n, next, err := s.eraseRows(ctx, &e, &t, last, &done)
			if err != nil {
				return done, fmt.Errorf("%s: %w", t.name, err)
			}
			if n < eraseStep {
				break
			}
			last = next
		}
	}
	return done, s.eraseTerms(ctx, &e, &done)
}

// cleaned texts are in lower case, without those that are empty.
func cleaned(texts []string) (all []string) {
	for _, text := range texts {
		if text = asciiLower(strings.TrimSpace(text)); text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// condition that a row names the person.
func (e *Erasure) condition(d dialect, t *erasedTable, c *conditions) string {
	var any []string
	add := func(columns, texts []string) {
		for _, column := range columns {
			if len(texts) == 0 {
				continue
			}
			if slices.Contains(t.lists, column) {
				for _, text := range texts {
					any = append(any, c.like(column, text, true))
				}
				continue
			}
			any = append(any, "("+column+" IS NOT NULL AND "+d.in("lower("+column+")", c.parameter(d.list(texts)))+")")
		}
	}
	add(t.byAddress, e.Addresses)
	add(t.byName, e.Names)
	if len(any) == 0 {
		return ""
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// erasedKeys returns the keys of rows behind a key that may name the person, in order. It
// does not keep other writers waiting, however long the table is.
func (s *Store) erasedKeys(ctx context.Context, e *Erasure, t *erasedTable, last string) (keys []string, err error) {
	var c conditions
	condition := e.condition(s.d, t, &c)
	if condition == "" {
		return nil, nil
	}
	found, err := s.Query(ctx, c.fill("SELECT "+t.key+" FROM "+t.name+" WHERE "+condition+" AND "+t.key+" > ? ORDER BY "+t.key+" LIMIT ?", last, eraseStep), c.args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		keys = append(keys, "")
		if err := found.Scan(&keys[len(keys)-1]); err != nil {
			return nil, err
		}
	}
	return keys, found.Err()
}

// eraseRows changes rows behind a key. It returns how many were looked at, and the
// key of the last one.
func (s *Store) eraseRows(ctx context.Context, e *Erasure, t *erasedTable, last string, done *Erased) (n int, next string, err error) {
	keys, err := s.erasedKeys(ctx, e, t, last)
	if err != nil || len(keys) == 0 {
		return 0, "", err
	}
	texts := slices.Concat(t.own, t.lists)
	if t.name == "dialogs" {
		texts = []string{"from_party", "from_name", "to_party", "to_name"}
	}
	columns := slices.Concat(texts, t.documents)
	query := "SELECT " + t.key + ", state, trace_id IN (SELECT trace_id FROM holds), " + strings.Join(columns, ", ") + " FROM " + t.name + " WHERE " + s.d.in(t.key, "$1") + " ORDER BY " + t.key
	err = s.inTurn(ctx, func(ctx context.Context, tx transaction) error {
		changed, err := e.read(ctx, s.d, tx, t, query, keys, texts, columns, done)
		if err != nil {
			return err
		}
		for _, row := range changed {
			if row.isHeld || e.DryRun {
				continue
			}
			var u conditions
			var sets []string
			for i, column := range columns {
				sets = append(sets, u.fill(column+" = ?", row.values[i]))
			}
			if _, err := tx.exec(ctx, u.fill("UPDATE "+t.name+" SET "+strings.Join(sets, ", ")+" WHERE "+t.key+" = ?", row.key), u.args...); err != nil {
				return err
			}
		}
		return nil
	})
	return len(keys), keys[len(keys)-1], err
}

// erasedRow is a row with its new values.
type erasedRow struct {
	key    string
	values []any
	isHeld bool
}

func (e *Erasure) read(ctx context.Context, d dialect, tx transaction, t *erasedTable, query string, keys, texts, columns []string, done *Erased) (all []erasedRow, err error) {
	found, err := tx.query(ctx, query, d.list(keys))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		row := erasedRow{values: make([]any, len(columns))}
		var state string
		var held bool
		values := make([]string, len(texts))
		documents := make([]json.RawMessage, len(columns)-len(texts))
		targets := []any{&row.key, scanTarget(&state), &held}
		for i := range values {
			targets = append(targets, scanTarget(&values[i]))
		}
		for i := range documents {
			targets = append(targets, scanTarget(&documents[i]))
		}
		if err := found.Scan(targets...); err != nil {
			return nil, err
		}
		row.isHeld = held && !e.Held
		whose := e.whose(t, texts, values)
		if len(whose) == 0 {
			// A part of a text that is somebody else's.
			row.isHeld = true
		} else if row.isHeld {
			done.Held++
		}
		if !row.isHeld {
			done.Rows[t.name]++
			if state == StateRunning {
				done.Running++
			}
			e.erase(t, texts, values, whose, done)
			for i := range values {
				row.values[i] = optional([]byte(values[i]))
			}
			whose = slices.Concat(whose, e.Addresses, e.Names)
			for i := range documents {
				row.values[len(texts)+i] = optional(e.document(documents[i], whose))
			}
		}
		all = append(all, row)
	}
	return all, found.Err()
}

// whose are the texts of a row, in lower case, that name the person: nil if the row
// does not.
func (e *Erasure) whose(t *erasedTable, columns, values []string) (whose []string) {
	is := func(text string) bool {
		text = asciiLower(text)
		return text != "" && (slices.Contains(e.Addresses, text) || slices.Contains(e.Names, text))
	}
	add := func(text string) {
		if text = asciiLower(text); text != "" && !slices.Contains(whose, text) {
			whose = append(whose, text)
		}
	}
	at := func(column string) string { return values[slices.Index(columns, column)] }
	if t.name == "dialogs" {
		for _, side := range dialogSides {
			if is(at(side[0])) || is(at(side[1])) {
				add(at(side[0]))
				add(at(side[1]))
			}
		}
		return whose
	}
	if slices.ContainsFunc(t.own, func(column string) bool { return is(at(column)) }) {
		for _, column := range t.own {
			add(at(column))
		}
	}
	for _, column := range t.lists {
		for part := range strings.SplitSeq(at(column), ", ") {
			if is(part) {
				add(part)
			}
		}
	}
	return whose
}

// erase writes new texts into a row's values.
func (e *Erasure) erase(t *erasedTable, columns, values, whose []string, done *Erased) {
	for i, column := range columns {
		if values[i] == "" {
			continue
		}
		if slices.Contains(t.lists, column) {
			parts := strings.Split(values[i], ", ")
			for p, part := range parts {
				if slices.Contains(whose, asciiLower(part)) {
					parts[p] = e.Pseudonym
				}
			}
			values[i] = strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ", ")
			continue
		}
		if !slices.Contains(whose, asciiLower(values[i])) {
			continue
		}
		if strings.HasSuffix(column, "name") {
			done.Names[values[i]]++
		} else {
			done.Addresses[values[i]]++
		}
		values[i] = e.Pseudonym
	}
}

// document is a JSON document without texts that name the person, or with their
// pseudonym. In a longer text an address is replaced, a name is not: it may be a part
// of another one.
func (e *Erasure) document(text json.RawMessage, whose []string) json.RawMessage {
	var v any
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber() // a draft has numbers of 64 bits
	if len(text) == 0 || in.Decode(&v) != nil {
		return text
	}
	v, changed := e.walk(v, whose)
	if !changed {
		return text
	}
	out, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return out
}

func (e *Erasure) walk(v any, whose []string) (out any, changed bool) {
	switch v := v.(type) {
	case string:
		text := e.replace(v, whose)
		return text, text != v
	case []any:
		for i := range v {
			next, c := e.walk(v[i], whose)
			v[i], changed = next, changed || c
		}
		return v, changed
	case map[string]any:
		for key := range v {
			next, c := e.walk(v[key], whose)
			if c && next == "" {
				delete(v, key)
			} else {
				v[key] = next
			}
			changed = changed || c
		}
		return v, changed
	default:
		return v, false
	}
}

// replace a text, or the addresses in it.
func (e *Erasure) replace(text string, whose []string) string {
	lower := asciiLower(text)
	if slices.Contains(whose, lower) {
		return e.Pseudonym
	}
	for _, part := range whose {
		if !strings.Contains(part, "@") && !slices.Contains(e.Addresses, part) {
			continue
		}
		for from := 0; ; {
			i := strings.Index(lower[from:], part)
			if i < 0 {
				break
			}
			i += from
			end := i + len(part)
			if insideWord(lower, i, end) {
				from = end
				continue
			}
			text = text[:i] + e.Pseudonym + text[end:]
			lower = asciiLower(text)
			from = i + len(e.Pseudonym)
		}
	}
	return text
}

// insideWord reports whether the text from i to end is a part of a longer address or number.
func insideWord(text string, i, end int) bool {
	word := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c >= 0x80
	}
	return i > 0 && (word(text[i-1]) || text[i-1] == '.') || end < len(text) && word(text[end])
}

// eraseTerms deletes the search terms.
func (s *Store) eraseTerms(ctx context.Context, e *Erasure, done *Erased) error {
	if e.DryRun {
		return nil
	}
	keys := slices.Concat(e.Addresses, e.Names)
	for _, texts := range []map[string]int64{done.Names, done.Addresses} {
		for text := range texts {
			keys = append(keys, asciiLower(text))
		}
	}
	return s.inTurn(ctx, func(ctx context.Context, tx transaction) error {
		clear(s.terms)
		_, err := tx.exec(ctx, "DELETE FROM search_terms WHERE kind IN ('name', 'address', 'dialled', 'owner') AND "+s.d.in("term_key", "$1"), s.d.list(keys))
		return err
	})
}
