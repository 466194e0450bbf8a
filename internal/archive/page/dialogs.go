// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// resultWords say in plain words how a SIP call went.
var resultWords = map[string]string{
	names.DialogAnswered:   "Answered",
	names.DialogFailed:     "Failed",
	names.DialogCancelled:  "Caller gave up",
	names.DialogChallenged: "Not authenticated",
	names.DialogRedirected: "Redirected",
}

// dialogName is who called whom.
func dialogName(d *store.Dialog) string {
	from, to := cmp.Or(d.FromName, d.FromParty), cmp.Or(d.ToName, d.ToParty)
	if from == "" && to == "" {
		return "SIP call of unknown parties"
	}
	return cmp.Or(from, "unknown") + " → " + cmp.Or(to, "unknown")
}

// dialog has in its bar how long the call took to be answered, and the call.
func (l *timeline) dialog(d *store.Dialog) row {
	r := l.begin("SIP dialog", "dialog", dialogName(d), &d.Object)
	r.Why = whyOfDialog(d)
	l.dialogPhases(&r, d)
	if d.FromName != "" { // else the address stands above
		r.sub(d.FromParty)
	}
	if d.ToName != "" {
		r.sub(d.ToParty)
	}
	if d.RingSeconds != nil && *d.RingSeconds > 0 {
		r.sub("rang for " + duration(*d.RingSeconds))
	}
	r.code("Caller", d.FromParty)
	r.code("Called", d.ToParty)
	r.seconds("Until it rang", d.RingDelaySeconds)
	r.seconds("Rang for", d.RingSeconds)
	r.seconds("Until it was answered", d.SetupSeconds)
	r.seconds("Answered for", d.AnsweredSeconds)
	r.add("Responses", responsesText(d.Responses))
	r.add("Reported by", cmp.Or(d.System, d.Bridge))
	r.code("SIP Call-ID", d.SIPCallID)
	for _, link := range linksOf(d.Links) {
		r.Links = append(r.Links, link.to())
	}
	return r.end("Dialog", &d.Object)
}

func (l *spanLink) to() link { return link{"Another dialog", traceURL("traces", l.TraceID, l.SpanID)} }

// whyOfDialog is how a SIP call went, nil if that is not known.
func whyOfDialog(d *store.Dialog) *why {
	w := why{Words: resultWords[d.Result], Failure: d.ErrorType != ""}
	if d.Code != nil {
		w.Cisco = strings.TrimSpace(fmt.Sprintf("%s %d", d.Method, *d.Code))
	}
	switch {
	case w.Words != "":
	case w.Failure:
		w.Words = resultWords[names.DialogFailed]
	case d.State == store.StateRunning:
		return nil
	case d.Code == nil:
		w.Words = "Answer not seen"
	case *d.Code < 300:
		w.Words = resultWords[names.DialogAnswered]
	default:
		w.Words = "Not answered"
	}
	return &w
}

// dialogPhases cuts the bar where the call was answered.
func (l *timeline) dialogPhases(r *row, d *store.Dialog) {
	if d.SetupSeconds == nil || *d.SetupSeconds <= 0 {
		return
	}
	end := l.endOf(&d.Object)
	answered := d.StartedAt.Add(time.Duration(*d.SetupSeconds * float64(time.Second)))
	if answered.After(end) {
		answered = end
	}
	if b := l.scale.bar(d.StartedAt, answered); b.width > narrowest {
		l.Setup = true
		r.Pieces = []piece{{Class: "setup", bar: b}, {Class: r.Class, bar: l.scale.bar(answered, end), Open: r.Running}}
	}
}

// responsesText lists the responses to a call's INVITEs.
func responsesText(document json.RawMessage) string {
	var all []struct{ Code, Offset int64 }
	if json.Unmarshal(document, &all) != nil {
		return ""
	}
	texts := make([]string, len(all))
	for i, response := range all {
		texts[i] = fmt.Sprintf("%d after %s", response.Code, duration(float64(response.Offset)/1000))
	}
	return strings.Join(texts, ", ")
}
