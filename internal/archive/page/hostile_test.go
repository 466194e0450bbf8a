// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// hostile texts, as strangers may call themselves.
var hostile = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`' onmouseover='alert(1)`,
	`</title><svg onload=alert(1)>`,
	`javascript:alert(1)`,
	`{{.Store}}{{template "head"}}`,
	`--><!--<![CDATA[`,
	"\u202egnp.exe\u2066\u200f",
	"a\u0000b\ufffd\x1b[31m",
	`</textarea></select></table></details></svg><style>*{display:none}</style>`,
	`&lt;b&gt;&#60;script&#62;`,
	strings.Repeat("W", 20_000),
	`<a href="//evil.test">x</a><base href="//evil.test/"><meta http-equiv="refresh" content="0;url=//evil.test">`,
	"\u00ad\u200b",
}

// written fills an archive in which every text is one of those that are given.
// What the page computes with stays as it is.
func written(t *testing.T, texts []string) http.Handler {
	t.Helper()
	w := newWorld(t)
	n := 0
	next := func() string {
		n++
		// Databases hold no NUL; the exporter takes it out.
		return strings.ReplaceAll(texts[n%len(texts)], "\x00", "")
	}
	fill := func(row any) {
		var visit func(v reflect.Value)
		visit = func(v reflect.Value) {
			for i := range v.NumField() {
				switch f, name := v.Field(i), v.Type().Field(i).Name; {
				case slices.Contains([]string{"ID", "TraceID", "SpanID", "ParentSpanID", "State", "Outcome", "Kind", "MovedCallLeg", "CallID", "SessionID", "CCID", "Activity", "Role"}, name):
				case f.Kind() == reflect.String:
					f.SetString(next())
				case f.Type() == reflect.TypeFor[json.RawMessage]():
					f.Set(reflect.ValueOf(document(map[string]any{"k": next()})))
				case f.Kind() == reflect.Struct && name != "Revision" && f.Type().PkgPath() != "time":
					visit(f)
				}
			}
		}
		visit(reflect.ValueOf(row).Elem())
	}
	room := store.Room{}
	for i, running := range []string{"13:00:00", ""} {
		c := *w.call(room, fmt.Sprintf("%032x", i+1), london, "12:00:00", running)
		for range 3 {
			w.leg(&c, "", "", "12:01:00", running, func(l *store.Leg) { l.PacketLossPercent, l.ErrorType = new(12.0), "x" })
		}
		w.batch.Recordings = append(w.batch.Recordings, store.Recording{Object: w.object(names.KindRecording, c.TraceID, london, "12:02:00", running), Kind: store.KindStreaming})
		w.batch.Dialogs = append(w.batch.Dialogs, store.Dialog{Object: w.object(names.KindDialog, c.TraceID, "o", "12:02:00", running), Code: new(int64(200))})
	}
	w.recorded()
	for i := range w.batch.Calls {
		fill(&w.batch.Calls[i])
	}
	for i := range w.batch.Legs {
		fill(&w.batch.Legs[i])
		w.batch.Legs[i].Links = document([]map[string]string{{"trace_id": next(), "span_id": next(), "reason": next()}})
	}
	for i := range w.batch.Recordings {
		fill(&w.batch.Recordings[i])
	}
	for i := range w.batch.Dialogs {
		fill(&w.batch.Dialogs[i])
	}
	for i := range w.batch.Sessions {
		fill(&w.batch.Sessions[i])
		w.batch.Sessions[i].Tags = document([]map[string]string{{"tag_name": next()}})
		w.batch.Sessions[i].URLs = document([]map[string]string{{next(): next()}})
	}
	for i := range w.batch.Tracks {
		fill(&w.batch.Tracks[i])
	}
	w.batch.StorageEvents = []store.StorageEvent{{ID: "e", At: at("12:00:00"), Server: next(), NodeAddress: next(), Partition: next(), Action: next(), Level: next()}}
	w.write()
	return w.handler()
}

// skeleton of a page: its elements and their attributes, without the texts.
func skeleton(t *testing.T, page string, values bool) (all []string) {
	t.Helper()
	parsed, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	depth := 0
	var visit func(*html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.ElementNode {
			line := []string{strings.Repeat(" ", depth) + n.Data}
			for _, a := range n.Attr {
				if values && a.Key != "value" && a.Key != "href" {
					a.Key += "=" + a.Val
				}
				line = append(line, a.Key)
			}
			all = append(all, strings.Join(line, " "))
		}
		depth++
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			visit(child)
		}
		depth--
	}
	visit(parsed)
	return all
}

// Whatever people are called: the pages have the same elements with the same
// attributes. Nothing of them is made of data but text.
func TestHostile(t *testing.T) {
	plain := make([]string, len(hostile)) // each another one, as they are
	for i := range plain {
		plain[i] = fmt.Sprintf("plain %d", i)
		if len(hostile[i]) > maxLinked { // too long for a link to its page
			plain[i] = strings.Repeat("p", len(hostile[i]))
		}
	}
	evil, good := written(t, hostile), written(t, plain)
	for _, page := range []string{
		"/", "/legs", "/sessions", "/sipcalls", "/overview", fmt.Sprintf("/conferences/%032x", 1), fmt.Sprintf("/conferences/%032x", 2), "/traces/" + traceSession, "/?live=1", "/legs?live=1",
	} {
		a, b := get(t, evil, page), get(t, good, page)
		require.Equal(t, http.StatusOK, a.Code, page)
		require.Equal(t, http.StatusOK, b.Code, page)
		assert.Equal(t, skeleton(t, b.Body.String(), true), skeleton(t, a.Body.String(), true), page)
		assert.NotContains(t, a.Body.String(), "ZgotmplZ")
	}
	// It is all there, to be read.
	text := get(t, evil, "/legs").Body.String()
	assert.Contains(t, text, "&lt;script&gt;alert(1)&lt;/script&gt;")
	assert.Contains(t, text, strings.Repeat("W", 20_000))
}

// Nor are they made of what is asked for.
func TestHostileQuestions(t *testing.T) {
	h := newDay(t).handler()
	for _, path := range []string{"/", "/legs", "/sessions", "/sipcalls", "/search", "/people", "/rooms", "/overview"} {
		for _, name := range append([]string{paramAfter, paramID, paramTag, paramSearch, paramName, paramAddress, "x"}, filterParams...) {
			for _, text := range hostile {
				ask := func(text string) string {
					address := path + "?" + url.Values{name: {text}}.Encode()
					if len(address) > maxQuery {
						return ""
					}
					return get(t, h, address).Body.String()
				}
				if page := ask(text); page != "" {
					for _, line := range skeleton(t, page, false) {
						for _, word := range strings.Fields(line)[1:] {
							assert.False(t, strings.HasPrefix(word, "on") || word == "style" || word == "src" && !strings.Contains(line, "script"), line)
						}
						assert.NotContains(t, []string{"img", "base", "iframe", "object", "style"}, strings.Fields(line)[0])
					}
				}
			}
		}
	}
	for _, id := range hostile {
		if len(id) < 1000 {
			a := get(t, h, "/find?"+url.Values{"id": {id}}.Encode())
			assert.Equal(t, http.StatusSeeOther, a.Code)
			a = get(t, h, "/conferences/"+url.PathEscape(id))
			assert.Equal(t, http.StatusNotFound, a.Code, id)
			assert.NotContains(t, a.Body.String(), "alert(1)")
		}
	}
}
