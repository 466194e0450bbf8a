// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// gap in a recording: a pause or a silence. Milliseconds, from the start of
// the session.
type gap struct {
	Offset   float64 `json:"offset"`
	Duration float64 `json:"duration"`
}

// mostGaps of a row: silences are many.
const mostGaps = 500

// gapsOf reads gaps from an object's details. What it cannot read is none.
func gapsOf(o *store.Object, name string) (gaps []gap) {
	var details map[string]json.RawMessage
	if json.Unmarshal(o.Details, &details) != nil || json.Unmarshal(details[name], &gaps) != nil {
		return nil
	}
	return gaps[:min(len(gaps), mostGaps)]
}

// gaps draws them over a bar.
func (l *timeline) gaps(o *store.Object, start time.Time, name string) (pieces []piece) {
	for _, g := range gapsOf(o, name) {
		const most = 1e11 // three years
		if !(g.Offset >= 0 && g.Offset < most && g.Duration >= 0 && g.Duration < most) {
			continue
		}
		from := start.Add(time.Duration(g.Offset) * time.Millisecond)
		pieces = append(pieces, piece{Class: "gap", bar: l.scale.bar(from, from.Add(time.Duration(g.Duration)*time.Millisecond))})
		l.Gaps = true
	}
	return pieces
}

// gapsText counts gaps and adds them up.
func gapsText(o *store.Object, name string) string {
	gaps := gapsOf(o, name)
	if len(gaps) == 0 {
		return ""
	}
	var sum float64
	for _, g := range gaps {
		sum += g.Duration / 1000
	}
	return fmt.Sprintf("%s, %s in all", counted(int64(len(gaps)), "time", "times"), duration(sum))
}

// texts returns the texts of an array of texts, or of objects with texts.
func texts(document json.RawMessage) (all []string) {
	var items []any
	if json.Unmarshal(document, &items) != nil {
		return nil
	}
	for _, item := range items {
		switch item := item.(type) {
		case string:
			all = append(all, item)
		case map[string]any:
			for _, v := range item {
				if text, ok := v.(string); ok {
					all = append(all, text)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// tagNames of an array of tags, without those that are gaps, each once.
func tagNames(document json.RawMessage) (all []string) {
	var tags []map[string]any
	if json.Unmarshal(document, &tags) != nil {
		return nil
	}
	for _, tag := range tags {
		name, _ := tag[names.ElementTagName].(string)
		if name != "" && !slices.Contains([]string{"pause", "resume", "trackactive", "trackinactive"}, strings.ToLower(name)) && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
