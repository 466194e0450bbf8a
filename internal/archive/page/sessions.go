// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"net/http"

	"github.com/legato-otel/legato/internal/archive/store"
)

type sessionsPage struct {
	listPage
	Running, Ended []sessionRow
}

type sessionRow struct {
	store.Session
	Start   localTime
	Name    string
	Seconds float64
	Failure bool
}

// URL of the session's page.
func (s *sessionRow) URL() string { return traceURL("traces", s.TraceID, s.SpanID) }

func (h *handler) sessions(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	p := &sessionsPage{listPage: h.newList(r, "Recording sessions", "sessions", "./sessions")}
	p.setSortColumns(store.SortColumns[store.Session]())
	var running, ended []store.Session
	if err := fillLists(ctx, &p.listPage, v.Sessions, &running, &ended); err != nil {
		return answer{}, err
	}
	var err error
	if p.Count, err = v.Running(ctx); err != nil {
		return answer{}, err
	}
	row := func(s *store.Session) sessionRow {
		out := sessionRow{Session: *s, Start: localTime{s.StartedAt}, Name: sessionName(s), Failure: s.ErrorType != ""}
		if s.DurationSeconds != nil {
			out.Seconds = *s.DurationSeconds
		} else {
			out.Seconds = max(0, p.Now.Sub(s.StartedAt).Seconds())
		}
		return out
	}
	for i := range running {
		p.Running = append(p.Running, row(&running[i]))
	}
	for i := range ended {
		p.Ended = append(p.Ended, row(&ended[i]))
	}
	return p.answer("sessions", p), nil
}

func sessionName(s *store.Session) string {
	if s.Parties != "" {
		return s.Parties
	}
	return "Session without parties"
}
