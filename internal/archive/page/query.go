// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/legato-otel/legato/internal/archive/store"
)

// Names of the parameters. They are part of addresses that people keep.
const (
	paramSince    = "since"
	paramFrom     = "from"
	paramTo       = "to"
	paramParty    = "party"
	paramAnywhere = "anywhere"
	paramRoom     = "room"
	paramReason   = "reason"
	paramLoss     = "loss"
	paramTenant   = "tenant"
	paramLongest  = "max"
	paramShortest = "min"
	paramState    = "state"
	paramTag      = "tag"
	paramAfter    = "after"
	paramLive     = "live"
	paramID       = "id"
	paramSpan     = "span"
	paramBridge   = "bridge"
	paramOwner    = "owner"
	paramDialled  = "dialled"
	paramSort     = "sort"
	paramForm     = "form"
	paramResult   = "result"
	paramCode     = "code"
	paramRange    = "range"
)

// Parameters are the names of all parameters of the pages and the API.
func Parameters() []string {
	return slices.Concat(filterParams, csvParams, []string{paramAfter, paramLive, paramID, paramSpan, paramForm, paramSearch, paramLimit, paramScope, paramMonth, paramRange})
}

// csvParams are the parameters of a CSV besides those of the list.
var csvParams = []string{paramTag, paramAddress, paramName, paramRoomName}

// filterParams are the parameters that choose the listed objects.
var filterParams = []string{
	paramSince, paramFrom, paramTo, paramParty, paramAnywhere, paramRoom, paramReason, paramLoss, paramTenant, paramShortest, paramLongest, paramState,
	paramBridge, paramOwner, paramDialled, paramResult, paramCode, paramSort, paramZone,
}

const (
	// maxQuery and maxValue bound a query and a value of it, in bytes.
	maxQuery = 4096
	maxValue = 300
)

// form is the filter of a request, with the errors of its values.
type form struct {
	values url.Values
	Errors map[string]string
	Filter store.Filter
	Tag    string
	after  store.Cursor
	// asked is the zone of the times that were typed, shown that of the page.
	asked, shown *time.Location
}

// Value of a field, as it was typed.
func (f *form) Value(name string) string { return f.values.Get(name) }

// Active reports that the filter does not let everything through.
func (f *form) Active() bool { return f.Filter != store.Filter{} || len(f.Errors) > 0 }

// sinceChoices of the form.
var sinceChoices = []choice{{"", "any time"}, {"1h", "last hour"}, {"24h", "last 24 hours"}, {"168h", "last 7 days"}, {"720h", "last 30 days"}}

var stateChoices = []choice{{"", "running and ended"}, {store.StateRunning, "running"}, {store.StateEnded, "ended"}}

// parseForm reads a query; Errors has the error of each field. Times without a zone
// are in the zone of the query, else in that of now.
func parseForm(values url.Values, now time.Time) *form {
	f := &form{values: values, Errors: map[string]string{}, asked: now.Location(), shown: now.Location()}
	if name := values.Get(paramZone); name != "" {
		if zone := zoneNamed(name); zone != nil {
			f.asked = zone
		} else {
			f.Errors[paramZone] = "is not a time zone, as Europe/Berlin"
		}
	}
	f.setZone()
	for name := range values {
		if text := values.Get(name); len(text) > maxValue || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			f.Errors[name] = fmt.Sprintf("must be text of at most %d bytes", maxValue)
			values.Set(name, "")
		}
	}
	text := func(name string) string { return strings.TrimSpace(values.Get(name)) }
	f.since(text(paramSince), now)
	if t, ok := f.localTime(paramFrom, text(paramFrom)); ok && t.After(f.Filter.From) {
		f.Filter.From = t
	}
	if t, ok := f.localTime(paramTo, text(paramTo)); ok {
		f.Filter.To = t
	}
	f.Filter.Party, f.Filter.PartyAnywhere = text(paramParty), text(paramAnywhere) != "" && text(paramParty) != ""
	f.Filter.Bridge, f.Filter.Owner, f.Filter.Dialled = text(paramBridge), text(paramOwner), text(paramDialled)
	f.Filter.Room, f.Filter.Tenant, f.Filter.Reason, f.Tag = text(paramRoom), text(paramTenant), text(paramReason), text(paramTag)
	f.result(text(paramResult))
	f.code(text(paramCode))
	if v, ok := f.number(paramLoss, text(paramLoss), 100); ok {
		f.Filter.MinLoss = v
	}
	const mostMinutes = 100_000
	if v, ok := f.number(paramShortest, text(paramShortest), mostMinutes); ok {
		f.Filter.MinDuration = time.Duration(v * float64(time.Minute))
	}
	if v, ok := f.number(paramLongest, text(paramLongest), mostMinutes); ok {
		f.Filter.MaxDuration = time.Duration(v * float64(time.Minute))
	}
	switch state := text(paramState); state {
	case "", store.StateRunning, store.StateEnded:
		f.Filter.State = state
	default:
		f.Errors[paramState] = "must be running or ended"
	}
	if after := text(paramAfter); after != "" {
		var err error
		if f.after, err = parseCursor(after); err != nil {
			f.Errors[paramAfter] = "is not a place in a list"
		}
	}
	return f
}

// setZone writes the zone of the page into the query: times of the form are shown in
// it.
func (f *form) setZone() {
	if f.shown == time.UTC && f.values.Get(paramFrom)+f.values.Get(paramTo) == "" {
		f.values.Del(paramZone)
		return
	}
	f.values.Set(paramZone, f.shown.String())
}

func (f *form) since(text string, now time.Time) {
	if text == "" {
		return
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > 10*365*24*time.Hour {
		f.Errors[paramSince] = "must be a time span, as 24h"
		return
	}
	// Whole minutes, so that the next page of a list is of the same one.
	f.Filter.From = now.Add(-d).Truncate(time.Minute)
}

// layouts of a time; in the form's zone unless it says otherwise.
var layouts = []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.DateOnly, time.RFC3339, time.DateTime, "2006-01-02 15:04"}

// fieldText is a time as the form's fields take it.
func fieldText(t time.Time) string {
	if t.Second() == 0 {
		return t.Format(layouts[0])
	}
	return t.Format(layouts[1])
}

func (f *form) localTime(name, text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, false
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, f.asked); err == nil && t.Year() > 1970 && t.Year() < 9000 {
			f.values.Set(name, fieldText(t.In(f.shown)))
			return t.UTC(), true
		}
	}
	f.Errors[name] = "must be a day or a time, as 2026-03-05T10:20"
	return time.Time{}, false
}

func (f *form) number(name, text string, most float64) (float64, bool) {
	if text == "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", "."), 64)
	if err != nil || !(v >= 0 && v <= most) {
		f.Errors[name] = fmt.Sprintf("must be a number from 0 to %g", most)
		return 0, false
	}
	return v, true
}

// result of a SIP call.
func (f *form) result(text string) {
	if !slices.ContainsFunc(resultChoices, func(c choice) bool { return c.Value == text }) {
		f.Errors[paramResult] = "must be failed, cancelled, challenged, redirected or answered"
		return
	}
	f.Filter.Result = text
}

// code of a SIP response.
func (f *form) code(text string) {
	if text == "" {
		return
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 || n > 699 {
		f.Errors[paramCode] = "must be a SIP status code from 100 to 699"
		return
	}
	f.Filter.Code = int64(n)
}

// query is the filter as a query again, with changes: pairs of names and values.
func (f *form) query(changes ...string) string {
	out := url.Values{}
	for _, name := range filterParams {
		if v := strings.TrimSpace(f.values.Get(name)); v != "" && f.Errors[name] == "" {
			out.Set(name, v)
		}
	}
	for i := 0; i+1 < len(changes); i += 2 {
		out.Del(changes[i])
		if changes[i+1] != "" {
			out.Set(changes[i], changes[i+1])
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "?" + out.Encode()
}

// A cursor in an address is a time in milliseconds and an id.
func cursorText(c store.Cursor) string {
	return strconv.FormatInt(c.At.UnixMilli(), 10) + "." + base64.RawURLEncoding.EncodeToString([]byte(c.ID))
}

var errCursor = errors.New("not a cursor")

func parseCursor(text string) (store.Cursor, error) {
	at, id, found := strings.Cut(text, ".")
	ms, err := strconv.ParseInt(at, 10, 64)
	if !found || err != nil || ms <= 0 || ms > time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() {
		return store.Cursor{}, errCursor
	}
	raw, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil || !utf8.Valid(raw) || strings.ContainsRune(string(raw), 0) {
		return store.Cursor{}, errCursor
	}
	return store.Cursor{At: time.UnixMilli(ms).UTC(), ID: string(raw)}, nil
}
