// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

const mixinOut, runbooks = "../../../mixin/out", "../../../docs/runbooks"

// alertText is what a pager shows of an alert of the mixin.
type alertText struct{ Summary, Description, RunbookURL string }

// alertTexts reads the committed alerts.
func alertTexts(t *testing.T) map[string]alertText {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(mixinOut, "alerts.yaml"))
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Annotations map[string]string
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(content, &file))
	all := map[string]alertText{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			all[rule.Alert] = alertText{rule.Annotations["summary"], rule.Annotations["description"], rule.Annotations["runbook_url"]}
		}
	}
	return all
}

// archivePath is a path of the archive's page in a runbook.
var archivePath = regexp.MustCompile("`(/[a-z]*\\?[^`]*)`")

// pager serves the text of alerts and their runbooks, as a pager and a repository show
// them. A path of the archive's page in a runbook is a link here: readers put it behind the
// address of their own archive.
func pager(t *testing.T, alerts map[string]alertText, archive http.Handler) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", archive)
	mux.HandleFunc("/pager/{alert}", func(w http.ResponseWriter, r *http.Request) {
		text := alerts[r.PathValue("alert")]
		name := filepath.Base(text.RunbookURL)
		fmt.Fprintf(w, "<!doctype html><title>Pager</title><link rel=icon href=data:,><main><p>%s<p>%s<p><a href='/runbooks/%s'>Runbook</a></main>",
			html.EscapeString(text.Summary), html.EscapeString(text.Description), html.EscapeString(name))
	})
	mux.HandleFunc("/runbooks/{page}", func(w http.ResponseWriter, r *http.Request) {
		content, err := os.ReadFile(filepath.Join(runbooks, filepath.Base(r.PathValue("page"))))
		if !assert.NoError(t, err) {
			return
		}
		linked := archivePath.ReplaceAllStringFunc(string(content), func(code string) string {
			path := html.EscapeString(strings.Trim(code, "`"))
			return "<a class=archive href='" + path + "'>" + path + "</a>"
		})
		fmt.Fprintf(w, "<!doctype html><title>Runbook</title><link rel=icon href=data:,><pre>%s</pre>", linked)
	})
	return mux
}

// click follows a link as a person does, and waits for the page behind it.
func (b *tab) click(link, arrived string) {
	b.t.Helper()
	require.Equal(b.t, "true", b.says("!!"+link), "%s is not on %s", link, b.says("location.href"))
	b.says(link + ".click()")
	b.until(arrived + " && document.readyState === 'complete'")
}

// walkedPaths are the paths of the archive's page in the runbooks, with the names and
// addresses that are found behind them. Without any, a path is about no person.
var walkedPaths = map[string][]string{
	"/legs?since=1h&reason=error":                    {"Erik Error", "erik.error@example.test"},
	"/legs?since=1h&reason=timeout":                  {"Tina Timeout", "tina.timeout@example.test"},
	"/legs?since=1h&loss=10":                         {"Lars Loss", "lars.loss@example.test"},
	"/legs?since=1h&loss=5":                          {"Lars Loss", "lars.loss@example.test"},
	"/legs?since=24h&reason=participantLimitReached": {"Lina Limit", "lina.limit@example.test"},
	"/legs?since=1h&reason=unknownDestination":       {"100@203.0.113.200", "900441632960000@meet.example.test"},
	"/legs?since=1h&state=ended":                     {"Rosa Restart", "rosa.restart@example.test"},
	"/legs?state=running":                            {"Olga Onair", "olga.onair@example.test"},
	"/?since=1h":                                     {"Olga Onair", "olga.onair@example.test"},
	"/?since=24h":                                    {"Olga Onair", "olga.onair@example.test"},
	"/?state=running":                                {"Olga Onair", "olga.onair@example.test"},
	"/sessions?since=1h":                             {"5301, 5307"},
	"/sessions?since=24h":                            {"5301, 5307"},
	"/overview?range=24h":                            nil,
}

// walkedWorld is a day on which every alert has somebody whom it concerns.
func walkedWorld(t *testing.T) *world {
	t.Helper()
	w := newDay(t)
	meeting := w.call(store.Room{RoomID: "c05bace0-0000-4000-8000-00000000000a", RoomName: "Budget review"}, "b0d9e700000000000000000000000001", london, "14:05:00", "14:28:00")
	c := *meeting
	person := func(name, from, to string, change func(*store.Leg)) {
		w.leg(&c, name, strings.ToLower(strings.ReplaceAll(name, " ", "."))+"@example.test", from, to, change)
	}
	person("Gina Good", "14:10:00", "14:20:00", nil)
	person("Erik Error", "14:10:00", "14:20:00", func(l *store.Leg) { l.Reason, l.ErrorType = "error", "error" })
	person("Tina Timeout", "14:10:00", "14:20:00", func(l *store.Leg) { l.Reason, l.ErrorType = "timeout", "timeout" })
	person("Lars Loss", "14:10:00", "14:20:00", func(l *store.Leg) { l.PacketLossPercent = new(31.0) })
	person("Lina Limit", "14:10:00", "14:20:00", func(l *store.Leg) { l.Reason, l.ErrorType = "participantLimitReached", "participantLimitReached" })
	person("Rosa Restart", "14:25:00", "14:28:00", func(l *store.Leg) { l.Outcome, l.Reason = "bridge_restarted", "" })
	running := *w.call(store.Room{RoomID: "c05bace0-0000-4000-8000-00000000000b", RoomName: "Town hall"}, "b0d9e700000000000000000000000002", oslo, "14:26:00", "")
	c = running
	person("Olga Onair", "14:26:30", "", nil)
	scan := store.Leg{
		Object: w.object(names.KindCallLeg, "b0d9e700000000000000000000000003", london, "14:12:44", "14:12:45"), RemoteParty: "100@203.0.113.200",
		LocalAddress: "900441632960000@meet.example.test", Direction: "incoming", Type: "sip", Role: "participant", Reason: "unknownDestination", ErrorType: "unknownDestination",
	}
	w.batch.Legs = append(w.batch.Legs, scan)
	w.batch.Sessions = append(w.batch.Sessions, store.Session{
		Object: w.object(names.KindSession, "b0d9e700000000000000000000000004", "ms-1", "14:10:00", "14:12:00"), ControllerType: "Cisco-CUCM", MediaState: "CLOSED_ERROR", Parties: "5301, 5307",
	})
	w.write()
	return w
}

// TestFromAlertToPerson: from the text of every alert whose runbook leads to the archive, three
// clicks lead to a person that it is about: the runbook, its list of legs, meetings or
// sessions, and the newest row of the list.
func TestFromAlertToPerson(t *testing.T) {
	w, alerts := walkedWorld(t), alertTexts(t)
	b := open(t, pager(t, alerts, w.handler()))
	walked := map[string]bool{}
	for _, alert := range slices.Sorted(maps.Keys(alerts)) {
		runbook, err := os.ReadFile(filepath.Join(runbooks, alert+".md"))
		require.NoError(t, err)
		for _, found := range archivePath.FindAllStringSubmatch(string(runbook), -1) {
			path := found[1]
			about, known := walkedPaths[path]
			if !assert.True(t, known, "%s leads to %s, behind which nobody has walked", alert, path) {
				continue
			}
			walked[path] = true
			b.goTo("/pager/" + alert)
			b.click("document.querySelector('a')", "location.pathname === '/runbooks/"+alert+".md'")
			b.click("[...document.querySelectorAll('a.archive')].find(a => a.textContent === '"+path+"')", "location.pathname + location.search !== '/runbooks/"+alert+".md'")
			if about == nil {
				continue
			}
			b.click("document.querySelector('tbody th a')", "/^.(conferences|sessions|traces|legs)./.test(location.pathname)")
			// A leg's row is open at its place in its conference; a conference shows its people.
			b.until("!location.hash || !document.querySelector(location.hash + ' details') || document.querySelector(location.hash + ' details').open")
			shown := b.says("(location.hash && document.querySelector(location.hash) || document.body).innerText")
			for _, text := range about {
				assert.Contains(t, shown, text, "%s by way of %s, on %s", alert, path, b.says("location.href"))
			}
		}
	}
	for path := range walkedPaths {
		assert.True(t, walked[path], "no runbook leads to %s", path)
	}
	screenshot(b.ctx, t, "from-alert")
}
