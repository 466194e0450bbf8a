// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"html"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/legato-otel/legato/internal/archive/store"
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

// TestFromAlertToPerson: from the text of an alert, three clicks lead to the meeting and the
// person that it is about: the runbook, its list of legs, and the newest leg of it.
func TestFromAlertToPerson(t *testing.T) {
	w := newDay(t)
	meeting := w.call(store.Room{RoomID: "c05bace0-0000-4000-8000-00000000000a", RoomName: "Budget review"}, "b0d9e700000000000000000000000001", london, "14:05:00", "14:25:00")
	c := *meeting
	for _, one := range []struct {
		name   string
		change func(*store.Leg)
	}{
		{"Erik Error", func(l *store.Leg) { l.Reason, l.ErrorType = "error", "error" }},
		{"Tina Timeout", func(l *store.Leg) { l.Reason, l.ErrorType = "timeout", "timeout" }},
		{"Lars Loss", func(l *store.Leg) { l.PacketLossPercent = new(31.0) }},
		{"Lina Limit", func(l *store.Leg) { l.Reason, l.ErrorType = "participantLimitReached", "participantLimitReached" }},
		{"Gina Good", nil},
	} {
		w.leg(&c, one.name, strings.ToLower(strings.ReplaceAll(one.name, " ", "."))+"@example.test", "14:10:00", "14:20:00", one.change)
	}
	w.write()
	alerts := alertTexts(t)
	b := open(t, pager(t, alerts, w.handler()))
	for _, walk := range []struct{ alert, path, person string }{
		{"CiscoMeetingServerDropsHigh", "/legs?since=1h&reason=error", "Erik Error"},
		{"CiscoMeetingServerDropsHigh", "/legs?since=1h&reason=timeout", "Tina Timeout"},
		{"CiscoMeetingServerJoinBudgetBurn", "/legs?since=1h&reason=timeout", "Tina Timeout"},
		{"CiscoMeetingServerQualityBudgetBurn", "/legs?since=1h&loss=10", "Lars Loss"},
		{"CiscoMeetingServerPacketLossHigh", "/legs?since=1h&loss=5", "Lars Loss"},
		{"CiscoMeetingServerLimitReached", "/legs?since=24h&reason=participantLimitReached", "Lina Limit"},
	} {
		require.NotEmpty(t, alerts[walk.alert].Description, walk.alert)
		b.goTo("/pager/" + walk.alert)
		b.click("document.querySelector('a')", "location.pathname === '/runbooks/"+walk.alert+".md'")
		b.click("[...document.querySelectorAll('a.archive')].find(a => a.textContent === '"+walk.path+"')", "location.pathname === '/legs'")
		b.click("document.querySelector('tbody th a')", "location.pathname.startsWith('/conferences/')")
		assert.Equal(t, "Budget review", b.says("document.querySelector('h1').textContent"), walk.alert)
		b.until("document.querySelector(location.hash + ' details').open")
		shown := b.says("document.querySelector(location.hash).innerText")
		assert.Contains(t, shown, walk.person, walk.alert)
		assert.Contains(t, shown, strings.ToLower(strings.ReplaceAll(walk.person, " ", "."))+"@example.test", walk.alert)
	}
	screenshot(b.ctx, t, "from-alert")
}
