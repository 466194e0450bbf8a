// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/mediasense"
)

// documented is what members an object may have, and their JSON type; those with
// a question mark may be absent.
var documented = map[string]map[string]string{
	"session": {
		"sessionId": "string", "callControllerType": "string", "callControllerIP": "string", "ccid": "string",
		"sessionStartDate": "number", "sessionState": "string", "tracks": "list", "urls": "list", "tags": "list?",
	},
	"ended session": {
		"sessionId": "string", "callControllerType": "string", "callControllerIP": "string", "ccid": "string",
		"sessionStartDate": "number", "sessionState": "string", "sessionDuration": "number", "tracks": "list", "urls": "list", "tags": "list?",
	},
	"track": {
		"trackNumber": "number", "trackStartDate": "number", "trackMediaType": "string", "participants": "list", "codec": "string?", "tags": "list?",
	},
	"ended track": {
		"trackNumber": "number", "trackStartDate": "number", "trackMediaType": "string", "participants": "list", "codec": "string?", "tags": "list?",
		"trackDuration": "number", "downloadUrl": "string",
	},
	"participant": {
		"deviceRef": "string", "participantStartDate": "number", "participantDuration": "number?", "isConference": "bool", "xRefCi": "string",
	},
	"first participant": {
		"deviceRef": "string", "participantStartDate": "number", "isConference": "bool", "xRefCi": "string", "deviceId": "string?",
		"participantDuration": "number?",
	},
	"tag":     {"tagName": "string", "tagType": "string", "tagCreateDate": "number", "tagOffset": "number?"},
	"removal": {"sessionIds": "list"},
	"tag event": {
		"sessionId": "string", "tagName": "string", "tagType": "string", "tagCreateDate": "number", "tagOffset": "number?", "trackNumber": "number?",
	},
	"storage": {"nodeId": "number", "nodeIPAddress": "string", "partition": "string", "percentageUtilization": "number"},
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return ""
	case string:
		return "string"
	case json.Number:
		return "number"
	case bool:
		return "bool"
	case []any:
		return "list"
	}
	return "object"
}

func check(t *testing.T, payload string, is map[string]any) {
	t.Helper()
	for name, kind := range documented[payload] {
		value, ok := is[name]
		if !ok && strings.HasSuffix(kind, "?") {
			continue
		}
		require.True(t, ok, "%s without %s: %v", payload, name, is)
		require.Equal(t, strings.TrimSuffix(kind, "?"), kindOf(value), "%s of %s", name, payload)
	}
	for name := range is {
		require.Contains(t, documented[payload], name, payload)
	}
}

func objects(value any) []map[string]any {
	var list []map[string]any
	if value == nil {
		return nil
	}
	for _, x := range value.([]any) {
		list = append(list, x.(map[string]any))
	}
	return list
}

// TestShapes holds every event to the documented members.
func TestShapes(t *testing.T) {
	in := newInbox(t, nil)
	p := newPlay(t, func(o *mediasense.Options) { o.Targets = []string{in.url} })
	p.happen(p.story...)
	list, damaged := read(t, in.all())
	assert.Zero(t, damaged)
	assert.Greater(t, len(list), len(p.story), "tags and thresholds come twice")
	devices, closed := 0, 0
	for _, ev := range list {
		switch {
		case ev.EventType == "TAG_EVENT":
			check(t, "tag event", ev.EventBody)
		case ev.EventType == "STORAGE_THRESHOLD_EVENT":
			check(t, "storage", ev.EventBody)
		case ev.EventAction == "DELETED" || ev.EventAction == "PRUNED":
			check(t, "removal", ev.EventBody)
		default:
			ended, first := "", ""
			if ev.EventAction == "ENDED" {
				ended = "ended "
			}
			cucm := ev.EventBody["callControllerType"] == "Cisco-CUCM"
			if ev.EventAction == "STARTED" && cucm {
				first = "first "
			}
			check(t, ended+"session", ev.EventBody)
			for _, track := range objects(ev.EventBody["tracks"]) {
				check(t, ended+"track", track)
				for _, one := range objects(track["participants"]) {
					check(t, first+"participant", one)
					if one["deviceId"] != nil {
						devices++
					}
					if one["participantDuration"] != nil && ev.EventAction == "UPDATED" {
						closed++
					}
				}
			}
			for _, url := range objects(ev.EventBody["urls"]) {
				assert.Len(t, url, 1)
			}
			groups := map[bool]int{true: 3, false: 4}[cucm]
			assert.Len(t, strings.Split(ev.EventBody["ccid"].(string), "-"), groups)
		}
		if ev.EventType == "SESSION_EVENT" {
			assert.Nil(t, ev.ForwardedEvent, "only its own server reports a session")
		}
	}
	assert.Positive(t, devices)
	assert.Positive(t, closed)
}

// TestForwarded: of each tag and threshold there is one of its own and one
// forwarded, and they differ in nothing else.
func TestForwarded(t *testing.T) {
	in := newInbox(t, nil)
	p := newPlay(t, func(o *mediasense.Options) { o.Targets = []string{in.url} })
	p.happen(p.story...)
	list, _ := read(t, in.all())
	copies := map[string]map[any]int{}
	for _, ev := range list {
		if ev.EventType != "SESSION_EVENT" {
			key := fmt.Sprint(ev.kind(), ev.EventBody)
			if copies[key] == nil {
				copies[key] = map[any]int{}
			}
			copies[key][ev.ForwardedEvent]++
		}
	}
	for key, n := range copies {
		assert.Equal(t, n[nil], n["TRUE"], key)
		assert.Len(t, n, 2, key)
	}
	r := p.report()
	assert.Equal(t, r.Happened, r.Arrived)
	assert.Empty(t, r.Missed)
}

// TestOddShapes: each fault of the looks changes what it says.
func TestOddShapes(t *testing.T) {
	for name, tc := range map[string]struct {
		f  mediasense.Faults
		is func(ev event) (odd, applies bool)
	}{
		"quoted": {mediasense.Faults{Quoted: 1}, func(ev event) (bool, bool) {
			_, ok := ev.EventBody["sessionStartDate"].(string)
			return ok, ev.EventBody["sessionStartDate"] != nil
		}},
		"seconds": {mediasense.Faults{Seconds: 1}, func(ev event) (bool, bool) {
			return len(fmt.Sprint(ev.EventBody["tagCreateDate"])) == 10, ev.EventType == "TAG_EVENT"
		}},
		"urls": {mediasense.Faults{URLs: 1}, func(ev event) (bool, bool) {
			return kindOf(ev.EventBody["urls"]) == "object", ev.EventBody["urls"] != nil
		}},
		"boolean": {mediasense.Faults{Boolean: 1}, func(ev event) (bool, bool) {
			return kindOf(ev.ForwardedEvent) == "bool", true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInbox(t, nil)
			p := newPlay(t, func(o *mediasense.Options) { o.Targets, o.Faults = []string{in.url}, tc.f })
			p.happen(p.story...)
			list, _ := read(t, in.all())
			n := 0
			for _, ev := range list {
				odd, applies := tc.is(ev)
				assert.Equal(t, applies, odd, "%v", ev)
				if odd {
					n++
				}
			}
			assert.Positive(t, n)
			assert.Equal(t, p.report().Happened, p.report().Arrived)
		})
	}
}

// tally counts events by kind.
func tally(list []event) map[string]int {
	n := map[string]int{}
	for _, ev := range list {
		n[ev.kind()]++
	}
	return n
}

// TestFaultsOfDelivery: what is lost, doubled and damaged is what the account
// says.
func TestFaultsOfDelivery(t *testing.T) {
	for name, f := range map[string]mediasense.Faults{
		"duplicate": {Duplicate: 0.3}, "reorder": {Reorder: 0.3}, "lost": {Lost: 0.5}, "malformed": {Malformed: 0.2}, "pair": {Pair: 0.3},
		"all": {Duplicate: 0.1, Reorder: 0.1, Lost: 0.1, Malformed: 0.1, Pair: 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInbox(t, nil)
			p := newPlay(t, func(o *mediasense.Options) { o.Targets, o.Faults = []string{in.url}, f })
			p.happen(p.story...)
			list, damaged := read(t, in.all())
			r, sent, malformed, played := p.report(), map[string]int{}, 0, map[string]int{}
			for _, a := range r.Accounts {
				for kind, n := range a.Sent {
					sent[kind] += n
				}
				for kind, n := range a.Faults {
					played[kind] += n
				}
				malformed += a.Malformed
			}
			assert.Equal(t, sent, tally(list))
			assert.Equal(t, malformed, damaged)
			assert.Equal(t, played["malformed"], damaged)
			missed := map[string]int{}
			for _, m := range r.Missed {
				missed[m.Kind.String()]++
				assert.False(t, m.Tried)
			}
			for kind, n := range r.Happened {
				assert.Equal(t, n, r.Arrived[kind]+missed[kind], kind)
			}
			if name != "all" {
				assert.Equal(t, []string{name}, slices.Collect(maps.Keys(played)))
			}
			assert.Equal(t, f.Lost+f.Malformed > 0, len(r.Missed) > 0)
			if f.Pair > 0 {
				assert.Less(t, len(in.all()), len(list)+damaged)
			}
		})
	}
}

// TestReorder: starts come after their ends, and tags out of the order of their
// offsets.
func TestReorder(t *testing.T) {
	in := newInbox(t, nil)
	p := newPlay(t, func(o *mediasense.Options) {
		o.Targets, o.Faults, o.Servers = []string{in.url}, mediasense.Faults{Reorder: 0.4}, 2
	})
	p.happen(p.story...)
	list, _ := read(t, in.all())
	ended, offset := map[any]bool{}, map[any]int64{}
	late, crossed, after := 0, 0, 0
	for _, ev := range list {
		id := ev.EventBody["sessionId"]
		switch ev.kind() {
		case "SESSION_EVENT ENDED":
			ended[id] = true
		case "SESSION_EVENT STARTED":
			if ended[id] {
				late++
			}
		case "TAG_EVENT ADDED":
			if ended[id] {
				after++
			}
			if text, ok := ev.EventBody["tagOffset"].(json.Number); ok && ev.ForwardedEvent == nil {
				n, _ := text.Int64()
				if n < offset[id] {
					crossed++
				}
				offset[id] = n
			}
		}
	}
	assert.Positive(t, late)
	assert.Positive(t, crossed)
	assert.Positive(t, after)
}

// TestDamage: what is damaged is no JSON, of all three kinds.
func TestDamage(t *testing.T) {
	in := newInbox(t, nil)
	p := newPlay(t, func(o *mediasense.Options) { o.Targets, o.Faults = []string{in.url}, mediasense.Faults{Malformed: 1} })
	p.happen(p.story...)
	broken, cut, comma := 0, 0, 0
	for _, body := range in.all() {
		require.False(t, json.Valid([]byte(body)), body)
		switch {
		case strings.Contains(body, "\n"):
			broken++
		case strings.Contains(body, `""`):
			comma++
		default:
			cut++
		}
	}
	assert.Positive(t, broken)
	assert.Positive(t, cut)
	assert.Positive(t, comma)
}
