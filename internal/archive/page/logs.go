// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Log lines and API requests of a meeting are no rows: a log backend has them, under the
// meeting's trace id.

// Placeholders of a LogsURL beside [TraceIDPlaceholder]: the time range to search in
// milliseconds since 1970.
const (
	FromPlaceholder = "{from}"
	ToPlaceholder   = "{to}"
)

// logsMargin is how long before a meeting and after it its lines are searched for: a
// client prepares the space before, and the clocks of log servers differ.
const logsMargin = 5 * time.Minute

// CheckLogsURL returns an error if a LogsURL is not valid.
func CheckLogsURL(text string) error {
	if text == "" {
		return nil
	}
	if !strings.Contains(text, TraceIDPlaceholder) {
		return errors.New("must have " + TraceIDPlaceholder + " in it, as https://logs.example.com/search?q=" + TraceIDPlaceholder)
	}
	u, err := url.Parse(strings.NewReplacer(TraceIDPlaceholder, "0", FromPlaceholder, "0", ToPlaceholder, "0").Replace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("must begin with http:// or https:// and a host")
	}
	return nil
}

// logsURL is the address of the log lines of a trace from start to end; "" without a
// template.
func logsURL(template, trace string, start, end time.Time) string {
	if template == "" || !isHex(trace) {
		return ""
	}
	milliseconds := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	return strings.NewReplacer(
		TraceIDPlaceholder, trace, FromPlaceholder, milliseconds(start.Add(-logsMargin)), ToPlaceholder, milliseconds(end.Add(logsMargin)),
	).Replace(template)
}
