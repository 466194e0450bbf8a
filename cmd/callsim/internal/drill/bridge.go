// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// bridgePrefix begins the ids of all made-up bridges. Each drill has a bridge of its own: a
// known bridge with a new session has restarted, and rings for that.
const bridgePrefix = "d4111000-0000-4000-8000-"

func newBridge() string { return bridgePrefix + guid()[24:] }

// session is one life of the made-up bridge, whose records are numbered from 0.
type session struct {
	*Settings
	id    string
	next  int
	call  string
	batch strings.Builder
	open  []func() // adds the ends of a meeting that has begun
}

func (s *Settings) newSession() *session { return &session{Settings: s, id: guid(), call: guid()} }

// guid returns a random id in the form that Call Bridges use.
func guid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// addRecord adds a record of some age to the next post.
func (s *session) addRecord(kind string, age time.Duration, content string, values ...any) {
	fmt.Fprintf(&s.batch, "<record type=%q time=%q recordIndex=\"%d\" correlatorIndex=\"%d\">%s</record>\n", kind,
		s.Now().Add(-age).UTC().Format(time.RFC3339), s.next+1, s.next, fmt.Sprintf(content, values...))
	s.next++
}

// skipRecords leaves out the numbers of so many records.
func (s *session) skipRecords(records int) { s.next += records }

// postRecords posts the added records.
func (s *session) postRecords(ctx context.Context) error {
	body := s.body()
	s.batch.Reset()
	return s.post(ctx, s.Target, "text/xml", body, http.StatusOK)
}

func (s *session) body() string {
	return fmt.Sprintf("<?xml version=\"1.0\"?><records session=%q callBridge=%q>\n%s</records>\n", s.id, s.bridge, s.batch.String())
}

// offerRecords posts the added records as a bridge does: records without the answer 200 are kept
// for the next time.
func (s *session) offerRecords(ctx context.Context) error {
	if s.batch.Len() == 0 {
		return nil
	}
	status, err := s.send(ctx, s.Target, "text/xml", s.body())
	switch {
	case err != nil:
		return err
	case status == http.StatusOK:
		s.batch.Reset()
	case status != http.StatusServiceUnavailable:
		return fmt.Errorf("%s answered %d %s, this drill needs 200 or 503", s.Target.Redacted(), status, http.StatusText(status))
	}
	return nil
}

// meet runs a whole meeting.
func (s *session) meet(ctx context.Context) error {
	if s.batch.Len() == 0 {
		s.call = guid()
		s.addCallStart()
		s.addLeg("remoteTeardown", 60, "")
		s.addCallEnd()
	}
	return s.offerRecords(ctx)
}

// legsOfMeeting is how many people are in a meeting of beginMeeting.
const legsOfMeeting = 20

// beginMeeting begins a meeting, unless the former one waits to be taken.
func (s *session) beginMeeting(ctx context.Context) error {
	if s.batch.Len() == 0 {
		call, legs := guid(), make([]string, legsOfMeeting)
		s.call = call
		s.addCallStart()
		for i := range legs {
			legs[i] = guid()
			s.addLegStart(legs[i])
		}
		s.open = append(s.open, func() {
			for _, leg := range legs {
				s.addLegEnd(leg, "remoteTeardown", 60, "")
			}
			s.call = call
			s.addCallEnd()
		})
	}
	return s.offerRecords(ctx)
}

// endMeetings ends the meetings that have begun, once the Collector takes records again.
func (s *session) endMeetings(ctx context.Context) error {
	for {
		if err := s.offerRecords(ctx); err != nil {
			return err
		}
		switch {
		case s.batch.Len() > 0: // refused
			if err := wait(ctx, time.Second); err != nil {
				return fmt.Errorf("%s still refuses records: %w", s.Target.Redacted(), err)
			}
		case len(s.open) == 0:
			return nil
		default:
			s.open[0]()
			s.open = s.open[1:]
		}
	}
}

// addCallStart adds the start of the made-up meeting, and callEnd its end.
func (s *session) addCallStart() {
	s.addRecord("callStart", time.Minute, "<call id=%q><name>drill</name><callType>coSpace</callType></call>", s.call)
}

func (s *session) addCallEnd() {
	s.addRecord("callEnd", 0, "<call id=%q><callLegsCompleted>1</callLegsCompleted><durationSeconds>60</durationSeconds></call>", s.call)
}

// addLeg adds a leg that has ended, with its reason, its activated seconds and its alarms.
func (s *session) addLeg(reason string, activated int, alarms string) {
	id := guid()
	s.addLegStart(id)
	s.addLegEnd(id, reason, activated, alarms)
}

func (s *session) addLegStart(id string) {
	s.addRecord("callLegStart", time.Minute, "<callLeg id=%q><remoteParty>drill@example.invalid</remoteParty><localAddress>drill@example.invalid</localAddress>"+
		"<type>sip</type><direction>incoming</direction><call>%s</call></callLeg>", id, s.call)
}

func (s *session) addLegEnd(id, reason string, activated int, alarms string) {
	s.addRecord("callLegEnd", 0, "<callLeg id=%q><reason>%s</reason><remoteTeardown>false</remoteTeardown><durationSeconds>60</durationSeconds>"+
		"<activatedDuration>%d</activatedDuration>%s</callLeg>", id, reason, activated, alarms)
}
