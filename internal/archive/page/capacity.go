// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

const (
	paramScope = "of"
	paramMonth = "month"
	monthForm  = "2006-01"
)

// capacityPage shows the most simultaneous legs and meetings, and the usage of each tenant.
type capacityPage struct {
	frame
	Ranges   []overviewRange
	Range    overviewRange
	Of       string // "", or a scope and a value with a colon between
	Choices  []choice
	Legs     usageChart
	Meetings usageChart
	Minutes  usageChart
	Steps    []usageStep
	Month    string
	Tags     []tagRow
	MoreTags bool
	Earlier  string   // address of the month before
	Later    string   // address of the month after, empty if that is to come
	Exports  []choice // forms of the month as CSV, by their addresses
}

// usageStep is a row of the table of numbers.
type usageStep struct {
	store.UsageHour
	Start localTime
}

// Minutes that participants were in meetings.
func (s usageStep) Minutes() int64 { return int64(s.ParticipantSeconds/60 + 0.5) }

// usageChart is a chart of one number.
type usageChart struct {
	Title, Noun string
	Most        int64
	Columns     []column
}

type tagRow struct{ store.TagUsage }

// Minutes with one decimal, as they are billed.
func (t tagRow) Minutes() string { return strconv.FormatFloat(t.ParticipantSeconds/60, 'f', 1, 64) }

func (h *handler) capacity(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	query := r.URL.Query()
	p := &capacityPage{frame: h.frame(r, "Capacity", "capacity"), Ranges: ranges, Range: ranges[1]}
	for _, of := range ranges {
		if query.Get(paramRange) == of.Value {
			p.Range = of
		}
	}
	f := store.UsageFilter{Scope: store.UsageAll, Step: time.Hour, To: p.Now.Time}
	if p.Range.span > 8*24*time.Hour {
		f.Step = 24 * time.Hour
	}
	f.From = truncate(f.To.Add(-p.Range.span), f.Step)
	p.Choices = []choice{{"", "everything"}}
	names, err := v.BridgeNames(ctx)
	if err != nil {
		return answer{}, err
	}
	for _, scope := range []struct{ scope, words string }{{store.UsageBridge, "bridge "}, {store.UsageTenant, "tenant "}} {
		values, err := v.UsageValues(ctx, scope.scope)
		if err != nil {
			return answer{}, err
		}
		for _, value := range values {
			of := scope.scope + ":" + value
			p.Choices = append(p.Choices, choice{of, scope.words + cmp.Or(names[value], value)})
			if query.Get(paramScope) == of {
				f.Scope, f.Value, p.Of = scope.scope, value, of
			}
		}
	}
	steps, err := v.Usage(ctx, f)
	if err != nil {
		return answer{}, err
	}
	p.draw(steps, f.Step)
	if err := p.month(ctx, v, query.Get(paramMonth)); err != nil {
		return answer{}, err
	}
	return answer{template: "capacity.html", data: p}, nil
}

func (p *capacityPage) draw(steps []store.UsageHour, step time.Duration) {
	unit := "hour"
	if step >= 24*time.Hour {
		unit = "day"
	}
	number := func(of func(*store.UsageHour) int64, title, noun string) usageChart {
		buckets := make([]store.Bucket, len(steps))
		for i := range steps {
			buckets[i] = store.Bucket{At: steps[i].At, Legs: of(&steps[i])}
		}
		c := newChart(title, noun, buckets, step, withTrouble)
		return usageChart{title, noun, c.Most, c.Columns}
	}
	p.Legs = number(func(h *store.UsageHour) int64 { return h.PeakLegs }, "Most call legs at once, by "+unit, "legs")
	p.Meetings = number(func(h *store.UsageHour) int64 { return h.PeakMeetings }, "Most meetings at once, by "+unit, "meetings")
	p.Minutes = number(func(h *store.UsageHour) int64 { return int64(h.ParticipantSeconds/60 + 0.5) }, "Participant minutes, by "+unit, "minutes")
	for _, s := range steps {
		p.Steps = append(p.Steps, usageStep{s, localTime{s.At}})
	}
}

var errMonth = errors.New("must be a month, as 2026-03")

// monthOf reads a month (UTC); the current one if the text is empty.
func monthOf(text string, now time.Time) (time.Time, error) {
	now = now.UTC()
	if text == "" {
		return time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC), nil
	}
	t, err := time.Parse(monthForm, text)
	if err != nil || t.Year() <= 1970 || t.Year() >= 9000 {
		return t, errMonth
	}
	return t, nil
}

func (p *capacityPage) month(ctx context.Context, v *store.View, text string) error {
	month, err := monthOf(text, p.Now.Time)
	if err != nil { // the parameter is from no form: use the current month
		if month, err = monthOf("", p.Now.Time); err != nil {
			return err
		}
	}
	next := month.AddDate(0, 1, 0)
	tags, more, err := v.TagUsage(ctx, month, next, mostTags)
	if err != nil {
		return err
	}
	for _, t := range tags {
		p.Tags = append(p.Tags, tagRow{t})
	}
	p.Month, p.MoreTags = month.Format(monthForm), more
	address := func(month time.Time) string {
		query := url.Values{paramRange: {p.Range.Value}, paramMonth: {month.Format(monthForm)}}
		if p.Of != "" {
			query.Set(paramScope, p.Of)
		}
		return "./capacity?" + query.Encode() + "#h-tags"
	}
	p.Earlier = address(month.AddDate(0, -1, 0))
	if next.Before(p.Now.Time) {
		p.Later = address(next)
	}
	p.Exports = csvExports("usage.csv", url.Values{paramMonth: {p.Month}})
	return nil
}

const (
	// mostTags of a page or an answer of the API, and mostTagsCSV of a CSV.
	mostTags    = 1000
	mostTagsCSV = 100_000
)

// usageCSV answers with the minutes of a month by tenant and tag.
func (h *handler) usageCSV(w http.ResponseWriter, r *http.Request) {
	f := parseForm(r.URL.Query(), h.config.Now().In(zoneOf(r)))
	month, err := monthOf(f.Value(paramMonth), h.config.Now())
	if err != nil {
		f.Errors[paramMonth] = err.Error()
	}
	form, ok := f.csv(w, paramMonth)
	if !ok {
		return
	}
	var tags []store.TagUsage
	_, err = h.serve(r, func(ctx context.Context, v *store.View, _ *http.Request) (a answer, err error) {
		var more bool
		tags, more, err = v.TagUsage(ctx, month, month.AddDate(0, 1, 0), mostTagsCSV)
		if err == nil && more {
			err = fmt.Errorf("callpage: more than %d tenants and tags in a month", mostTagsCSV)
		}
		return a, err
	})
	if err != nil {
		h.failWith(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="usage-`+month.Format(monthForm)+`.csv"`)
	lines := [][]string{{"month", "tenant_id", "tag", "legs", "meetings", "minutes"}}
	for _, t := range tags {
		lines = append(lines, []string{
			month.Format(monthForm), form.Text(t.TenantID), form.Text(t.Tag), strconv.FormatInt(t.Legs, 10), strconv.FormatInt(t.Meetings, 10), tagRow{t}.Minutes(),
		})
	}
	_ = form.Write(w, lines) // the client may be gone
}
