// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
)

// event posts an event of MediaSense.
func (s *Settings) event(ctx context.Context, kind, action, body string) error {
	return s.post(ctx, s.MediaSense, "application/json",
		fmt.Sprintf(`{"eventType":%q,"eventAction":%q,"forwardedEvent":"FALSE","eventBody":%s}`, kind, action, body), http.StatusOK)
}

// levels of a disk, in the order in which one fills.
var levels = []string{"LOW", "CRITICAL", "EMERGENCY"}

// storage returns the drill of a disk that fills up to a level, and empties after the
// hold. The partition is new each time: its earlier drills do not count.
func storage(level string, percent int) func(context.Context, *Settings) error {
	reached := levels[:slices.Index(levels, level)+1]
	return func(ctx context.Context, s *Settings) error {
		body := fmt.Sprintf(`{"nodeId":1,"nodeIPAddress":"192.0.2.60","partition":"/drill-%s","percentageUtilization":%d}`, guid()[:8], percent)
		failed := s.fillUp(ctx, reached, body)
		ending, cancel := undo(ctx)
		defer cancel()
		for _, left := range slices.Backward(reached) {
			if err := s.event(ending, "STORAGE_THRESHOLD_EVENT", "EXIT_"+left+"_STORAGE_SPACE", body); err != nil {
				return errors.Join(failed, err)
			}
		}
		return failed
	}
}

// fillUp lets a disk reach levels, and stay at the last one for the hold.
func (s *Settings) fillUp(ctx context.Context, reached []string, body string) error {
	for _, reach := range reached {
		if err := s.event(ctx, "STORAGE_THRESHOLD_EVENT", "ENTER_"+reach+"_STORAGE_SPACE", body); err != nil {
			return err
		}
	}
	return wait(ctx, s.hold(standardHold))
}

func recordingError(ctx context.Context, s *Settings) error {
	const form = `{"sessionId":%q,"ccid":%[1]q,"sessionStartDate":%d,"sessionState":%q%s,"tracks":[{"trackNumber":0,"trackStartDate":%[2]d,"trackMediaType":"AUDIO"}]}`
	id, begin := strings.ReplaceAll(guid(), "-", ""), s.Now().UnixMilli()
	if err := s.event(ctx, "SESSION_EVENT", "STARTED", fmt.Sprintf(form, id, begin, "ACTIVE", "")); err != nil {
		return err
	}
	return s.event(ctx, "SESSION_EVENT", "ENDED", fmt.Sprintf(form, id, begin, "CLOSED_ERROR", `,"sessionDuration":1000`))
}

func recordingPruned(ctx context.Context, s *Settings) error {
	return s.event(ctx, "SESSION_EVENT", "PRUNED", fmt.Sprintf(`{"sessionIds":[%q]}`, strings.ReplaceAll(guid(), "-", "")))
}

func eventsRefused(ctx context.Context, s *Settings) error {
	return s.post(ctx, unknownPath(s.MediaSense), "application/json", "{}", http.StatusNotFound)
}

// sipFailures appends the lines of 40 calls, of which every second one fails, after two
// of which one does.
func sipFailures(ctx context.Context, s *Settings) error {
	if err := s.sipCalls(2); err != nil {
		return err
	}
	if err := wait(ctx, s.Settle); err != nil {
		return err
	}
	return s.sipCalls(40)
}

func (s *Settings) sipCalls(calls int) error {
	file, err := os.OpenFile(s.OCMS, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // the Collector reads it as another user
	if err != nil {
		return err
	}
	var text strings.Builder
	line := func(id, kind, extra string) {
		fmt.Fprintf(&text, "CreationTime=%s,To=<sip:drill@example.invalid>,TimeZoneOffset=0,Method=INVITE,Service=eventlogger.com.example.drill.MeterServlet.%s,"+
			"Call-ID=%s,%sCSeq=1 INVITE,Via=SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK%s,From=<sip:drill@example.invalid>;tag=drill\n",
			s.Now().UTC().Format("2006-01-02T15:04:05.000Z"), kind, id, extra, id[:8])
	}
	for n := range calls {
		id := guid()
		line(id, "REQUEST.INVITE", "RequestUri=sip:drill@example.invalid,")
		if n%2 == 0 {
			line(id, "RESPONSE.INVITE.200", "StatusCode=200,")
		} else {
			line(id, "RESPONSE.INVITE.503", "StatusCode=503,")
		}
	}
	_, err = file.WriteString(text.String())
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}
