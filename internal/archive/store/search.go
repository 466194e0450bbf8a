// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// SearchResult is a result of a search.
type SearchResult struct {
	// Terms of each kind, those seen last first.
	Terms []Term
	// More is set if there are more than were asked for.
	More bool
	// Way says which terms were looked at.
	Way SearchWay
}

// SearchWay says how a search was made.
type SearchWay uint8

const (
	// SearchAnywhere looked for the words anywhere in all terms.
	SearchAnywhere SearchWay = iota
	// SearchBeginning looked for terms that begin so: the words are shorter than the
	// index of trigrams needs.
	SearchBeginning
	// SearchNewest looked anywhere, in the SearchedTerms terms that were seen last: the
	// database has no index of trigrams.
	SearchNewest
)

// SearchedTerms is how many terms a search looks at without an index of trigrams.
const SearchedTerms = 20_000

const (
	// trigram is the length of a word that the index finds, in characters.
	trigram = 3
	// mostWords of a search.
	mostWords = 8
	// searchMatches is how many matches are sorted by when they were seen.
	searchMatches = 2000
)

// Search finds the terms that have all words of a text in them, in any order and in
// any case: at most limit of each kind.
func (v *View) Search(ctx context.Context, text string, limit int) (r SearchResult, err error) {
	words := strings.Fields(strings.ToLower(text))
	words = words[:min(len(words), mostWords)]
	if len(words) == 0 {
		return r, nil
	}
	var c conditions
	from := "search_terms"
	long := slices.DeleteFunc(slices.Clone(words), func(word string) bool { return utf8.RuneCountInString(word) < trigram })
	switch {
	case len(long) == 0:
		r.Way = SearchBeginning
		c.and("folded >= ? AND folded < ?", words[0], words[0]+highest)
	case v.d.hasTrigrams():
		v.d.trigrams(&c, long)
	default:
		r.Way = SearchNewest
		from = fmt.Sprintf("(SELECT * FROM search_terms ORDER BY last_seen_at DESC LIMIT %d) AS newest", SearchedTerms)
	}
	for _, word := range words {
		c.and(`folded LIKE ? ESCAPE '\'`, "%"+likeEscape.Replace(word)+"%")
	}
	query := "WITH matched AS MATERIALIZED (SELECT kind, term, last_seen_at FROM " + from + c.where() + fmt.Sprintf(" LIMIT %d)", searchMatches)
	query = c.fill(query+" SELECT kind, term, last_seen_at FROM (SELECT matched.*, ROW_NUMBER() OVER (PARTITION BY kind ORDER BY last_seen_at DESC, term) AS place FROM matched) AS ranked "+
		"WHERE place <= ? ORDER BY kind, place", limit+1)
	of := map[TermKind]int{}
	err = v.each(ctx, func(found *sql.Rows) error {
		var t Term
		if err := found.Scan(&t.Kind, &t.Text, v.target(&t.LastSeenAt)); err != nil {
			return err
		}
		if of[t.Kind]++; of[t.Kind] > limit {
			r.More = true
			return nil
		}
		r.Terms = append(r.Terms, t)
		return nil
	}, query, c.args...)
	return r, err
}

// fewTerms is how many terms a filter looks for one by one.
const fewTerms = 100

// partiesWith returns the names and addresses, in their keys, that have a text in
// them; ok is false if there are too many, or no index finds them.
func (v *View) partiesWith(ctx context.Context, text string) (keys []string, ok bool, err error) {
	if utf8.RuneCountInString(text) < trigram || !v.d.hasTrigrams() {
		return nil, false, nil
	}
	var c conditions
	v.d.trigrams(&c, []string{strings.ToLower(text)})
	c.and("kind IN ('name', 'address')")
	c.and(`term_key LIKE ? ESCAPE '\'`, "%"+likeEscape.Replace(asciiLower(text))+"%")
	err = v.each(ctx, func(found *sql.Rows) error {
		keys = append(keys, "")
		return found.Scan(&keys[len(keys)-1])
	}, c.fill("WITH matched AS MATERIALIZED (SELECT DISTINCT term_key FROM search_terms"+c.where()+" LIMIT ?) SELECT term_key FROM matched", fewTerms+1), c.args...)
	return keys, len(keys) <= fewTerms, err
}

func (*sqliteDialect) hasTrigrams() bool { return true }

// trigrams adds the condition that each of the words is in a term, such that the
// index finds it.
func (*sqliteDialect) trigrams(c *conditions, words []string) {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = `"` + strings.ReplaceAll(word, `"`, `""`) + `"`
	}
	c.and("id IN (SELECT rowid FROM search_trigrams WHERE search_trigrams MATCH ?)", strings.Join(quoted, " AND "))
}

func (d *postgresDialect) hasTrigrams() bool { return d.hasTrgm }

// trigrams adds nothing: the index answers LIKE.
func (*postgresDialect) trigrams(*conditions, []string) {}

// prepareSearch makes the index of trigrams, if this user may or somebody else has
// created the extension. Where it cannot be made, searches look at the newest terms.
func (d *postgresDialect) prepareSearch(ctx context.Context) error {
	if _, err := d.pool.Exec(ctx, makeTrigrams); err != nil {
		return err
	}
	return d.pool.QueryRow(ctx, "SELECT to_regclass('search_terms_by_trigram') IS NOT NULL").Scan(&d.hasTrgm)
}

const makeTrigrams = `DO $$ BEGIN
  IF to_regclass('search_terms_by_trigram') IS NULL THEN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX IF NOT EXISTS search_terms_by_trigram ON search_terms USING gin (folded gin_trgm_ops);
  END IF;
EXCEPTION WHEN OTHERS THEN
  NULL; -- not permitted, not installed, or made by another process at this time
END $$`
