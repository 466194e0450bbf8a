// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/receiver/ocmsreceiver"
)

// readEventLog returns the ocms receiver's records of callsim's event log, each message once.
// truth is callsim's count of the lines.
func readEventLog(ctx context.Context, path, truth string) (all plog.Logs, err error) {
	want, err := countMessages(truth)
	if err != nil {
		return all, err
	}
	sink := new(consumertest.LogsSink)
	parts, err := startReceiver(ctx, ocmsreceiver.NewFactory(), map[string]any{"include": []any{path}, "start_at": "beginning"}, sink, nil)
	if err != nil {
		return all, err
	}
	defer func() { err = errors.Join(err, parts.Shutdown(ctx)) }()
	if err := awaitCount(ctx, "records of the event log", sink.LogRecordCount, want, patience); err != nil {
		return all, err
	}
	all = plog.NewLogs()
	for _, logs := range sink.AllLogs() {
		logs.ResourceLogs().MoveAndAppendTo(all.ResourceLogs())
	}
	return all, nil
}

// countMessages returns how many records come of the lines that callsim wrote.
func countMessages(truth string) (int, error) {
	encoded, err := os.ReadFile(truth)
	if err != nil {
		return 0, err
	}
	var counted struct {
		OCMS struct{ Lines, Copies int }
	}
	if err := json.Unmarshal(encoded, &counted); err != nil {
		return 0, fmt.Errorf("%s: %w", truth, err)
	}
	if counted.OCMS.Lines == 0 {
		return 0, fmt.Errorf("%s counts no lines of the event log", truth)
	}
	return counted.OCMS.Lines - counted.OCMS.Copies, nil
}

// dialog is a SIP call in the event log, as indexes into the records of the world.
type dialog struct {
	invite, ringing, answer, bye int
	forked                       bool
}

// whole reports whether the call was answered once and hung up, and all of it is there.
func (d *dialog) whole() bool {
	return d != nil && !d.forked && min(d.invite, d.ringing, d.answer, d.bye) >= 0
}

// life of a dialog has as many records as that of a leg.
func (d *dialog) life(callID string) life {
	return life{start: d.invite, updates: []int{d.ringing, d.answer}, end: d.bye, id: callID, isDialog: true}
}

// addDialog adds a record of the event log to the world, and to the SIP call that it
// is about.
func (w *world) addDialog(log plog.LogRecord, dialogs map[string]*dialog) {
	callID := textOf(log, names.SIPCallID)
	if callID == "" {
		return
	}
	d := dialogs[callID]
	if d == nil {
		d = &dialog{invite: -1, ringing: -1, answer: -1, bye: -1}
		dialogs[callID] = d
	}
	code, isResponse := log.Attributes().Get(names.SIPCode)
	place := (*int)(nil)
	switch method := textOf(log, names.SIPMethod); {
	case method == "INVITE" && !isResponse:
		place = &d.invite
	case method == "INVITE" && code.Int() == 180:
		place = &d.ringing
	case method == "INVITE" && code.Int() == 200:
		place = &d.answer
		if d.answer >= 0 && textOf(w.records[d.answer].log, names.SIPToTag) != textOf(log, names.SIPToTag) {
			d.forked = true
		}
	case method == "BYE" && !isResponse:
		place = &d.bye
	default:
		return // a challenge, a response to a BYE: the kind of call does not depend on it
	}
	if *place < 0 {
		*place = len(w.records)
		r := newRecord(log)
		r.fromProxy = true
		w.records = append(w.records, r)
	}
}

// addDialogLives puts the SIP calls of legs behind their legs.
func (w *world) addDialogLives(dialogs map[string]*dialog) error {
	var lives []life
	for _, l := range w.lives {
		lives = append(lives, l)
		if len(l.calls) == 0 {
			continue
		}
		callID := textOf(w.records[l.start].log, names.SIPCallID)
		if d := dialogs[callID]; d.whole() {
			lives = append(lives, d.life(callID))
			w.dialogs++
			delete(dialogs, callID)
		}
	}
	if w.dialogs == 0 {
		return errors.New("callsim wrote no whole SIP call of a leg")
	}
	w.lives = slices.Clip(lives)
	return nil
}

func textOf(log plog.LogRecord, key string) string {
	value, _ := log.Attributes().Get(key)
	return value.Str()
}

// isOfProxy reports whether a record is of the event log.
func isOfProxy(event string) bool { return strings.HasPrefix(event, "oracle.ocms.") }
