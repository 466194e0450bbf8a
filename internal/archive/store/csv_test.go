// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWriteCSV(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		leg := func(id string, seconds float64, change func(*Leg)) Leg {
			l := Leg{
				Object: Object{
					ID: id, TraceID: "t", SpanID: "s" + id, State: StateEnded, Outcome: "complete", Bridge: "b1", System: "cms-1",
					StartedAt: at(seconds), EndedAt: at(seconds + 90.5), DurationSeconds: new(90.5), LastHeardAt: at(seconds + 90.5), Phase: Stitched,
				},
				Room: Room{RoomID: "r1", RoomName: "Board", TenantID: "acme"}, CallID: "c", Role: "participant", CallCDRTag: "call-tag",
			}
			change(&l)
			return l
		}
		_, err := s.Write(t.Context(), &Batch{
			Calls: []Call{{Object: Object{
				ID: "c", TraceID: "t", SpanID: "sc", State: StateEnded, Outcome: "complete", StartedAt: at(0), EndedAt: at(100), DurationSeconds: new(100.0), LastHeardAt: at(100), Phase: Stitched,
			}, OwnerName: "Ines Ostrow"}},
			Legs: []Leg{
				leg("l2", 10, func(l *Leg) {
					l.DisplayName, l.RemoteParty, l.CDRTag = `=cmd|' /C calc'!A0`, "+15550100@gw.example.test", "leg, \"tag\""
					l.Reason, l.IVRSeconds, l.Direction = "remoteTeardown", new(1.25), "incoming"
					l.ErrorType, l.PacketLossPercent, l.ExcessiveJitterPercent, l.HighRoundTripTimePercent = "timeout", new(12.5), new(0.0), new(3.25)
				}),
				leg("l1", 0, func(l *Leg) { l.DisplayName, l.OwnerID = "Olga\nP", "-1" }),
				leg("l3", 20, func(l *Leg) { l.Role = "recorder" }),
				leg("l4", 30, func(l *Leg) { l.DisplayName, l.TenantID = "@SUM(A1)", "other" }),
			},
		})
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, s.WriteCSV(t.Context(), &out, CSVFilter{Filter: Filter{Tenant: "ACME"}}))
		assert.Equal(t, strings.Join(CSVHeader(), ",")+"\r\n"+
			"t,Board,r1,acme,call-tag,Ines Ostrow,'-1,\"Olga\r\nP\",,,,,2026-03-05T12:00:00.000Z,2026-03-05T12:01:30.500Z,90.5,,,,90.5,,c,l1,,b1,cms-1,,,,\r\n"+
			"t,Board,r1,acme,\"leg, \"\"tag\"\"\",Ines Ostrow,,'=cmd|' /C calc'!A0,'+15550100@gw.example.test,,incoming,,2026-03-05T12:00:10.000Z,2026-03-05T12:01:40.500Z,90.5,1.25,,,0,remoteTeardown,c,l2,,b1,cms-1,timeout,12.5,0,3.25\r\n",
			out.String())
		for _, c := range []struct {
			filter CSVFilter
			want   []string
		}{
			{CSVFilter{}, []string{"l1", "l2", "l4"}},
			{CSVFilter{Filter: Filter{From: at(10)}}, []string{"l2", "l4"}},
			{CSVFilter{Filter: Filter{From: at(10), To: at(30)}}, []string{"l2"}},
			{CSVFilter{Tag: "call-tag"}, []string{"l1", "l4"}},
			{CSVFilter{Tag: "leg, \"tag\""}, []string{"l2"}},
			{CSVFilter{Filter: Filter{Room: "other"}}, nil},
			{CSVFilter{Filter: Filter{Room: "boa", Party: "olga"}}, []string{"l1"}},
			{CSVFilter{Filter: Filter{Reason: "remoteTeardown", MinDuration: time.Minute}}, []string{"l2"}},
			{CSVFilter{Of: Party{Name: "olga\np"}}, []string{"l1"}},
			{CSVFilter{Of: Party{Name: "olga"}}, nil},
			{CSVFilter{Of: Party{Address: "+15550100@GW.example.test"}}, []string{"l2"}},
			{CSVFilter{Of: Party{Address: "+15550100"}}, nil},
			{CSVFilter{RoomName: "BOARD"}, []string{"l1", "l2", "l4"}},
			{CSVFilter{RoomName: "boa"}, nil},
		} {
			assert.Equal(t, c.want, csvColumn(t, s, c.filter, "leg_id"), "%+v", c.filter)
		}
	})
}

// The machine form has texts as they are; the Excel form a byte order mark, and
// times that Excel reads.
func TestCSVForms(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		_, err := s.Write(t.Context(), &Batch{
			Calls: []Call{{
				Object: Object{ID: "c", TraceID: "t", SpanID: "sc", State: StateEnded, Outcome: "complete", StartedAt: at(0), EndedAt: at(100), DurationSeconds: new(100.0), LastHeardAt: at(100), Bridge: "b1", Phase: Stitched},
				Room:   Room{RoomName: "+1 room"}, CDRTag: "exec",
			}},
			Legs: []Leg{{
				Object: Object{ID: "l", TraceID: "t", SpanID: "sl", State: StateEnded, Outcome: "complete", StartedAt: at(1.5), EndedAt: at(99), DurationSeconds: new(97.5), LastHeardAt: at(99), Phase: Stitched},
				Room:   Room{RoomName: "+1 room"}, CallID: "c", Role: "participant", RemoteParty: "+15550100", DisplayName: "Żaneta",
			}},
		})
		require.NoError(t, err)
		legs := func(form CSVForm) string {
			var out bytes.Buffer
			require.NoError(t, s.WriteCSV(t.Context(), &out, CSVFilter{Form: form}))
			return out.String()
		}
		assert.Contains(t, legs(CSVSafe), "'+1 room,")
		assert.Contains(t, legs(CSVSafe), ",Żaneta,'+15550100,,,,2026-03-05T12:00:01.500Z,")
		assert.Contains(t, legs(CSVMachine), ",Żaneta,+15550100,,,,2026-03-05T12:00:01.500Z,")
		assert.NotContains(t, legs(CSVMachine), "'")
		assert.Contains(t, legs(CSVExcel), ",Żaneta,'+15550100,,,,2026-03-05 12:00:01,")
		assert.True(t, strings.HasPrefix(legs(CSVExcel), "\ufeffconference,room,"))
		assert.True(t, strings.HasPrefix(legs(CSVMachine), "conference,room,"))

		var out bytes.Buffer
		require.NoError(t, s.WriteConferencesCSV(t.Context(), &out, CSVFilter{Tag: "exec", Form: CSVMachine}))
		assert.Equal(t, strings.Join(conferenceTable.names(), ",")+"\r\n"+
			"t,c,b1,,+1 room,,,,,exec,ended,complete,2026-03-05T12:00:00.000Z,2026-03-05T12:01:40.000Z,100,2026-03-05T12:01:40.000Z,1,1,1,1,0,0,0,97.5,,,\r\n", out.String())
		for filter, lines := range map[CSVFilter]int{
			{RoomName: "+1 ROOM"}: 2, {RoomName: "+1"}: 1, {Of: Party{Address: "+15550100"}}: 2, {Of: Party{Address: "+1555"}}: 1, {Of: Party{Name: "nobody"}}: 1,
		} {
			out.Reset()
			require.NoError(t, s.WriteConferencesCSV(t.Context(), &out, filter))
			assert.Equal(t, lines, strings.Count(out.String(), "\r\n"), "%+v", filter)
		}
		for _, filter := range []CSVFilter{{Tag: "other"}, {Filter: Filter{Party: "nobody"}}, {Filter: Filter{MinDuration: time.Hour}}, {Filter: Filter{To: at(0)}}} {
			out.Reset()
			require.NoError(t, s.WriteConferencesCSV(t.Context(), &out, filter))
			assert.Equal(t, 1, strings.Count(out.String(), "\r\n"), "%+v", filter)
		}
	})
}

// The machine form keeps the line breaks of a text, which others write as CR LF.
func TestCSVMachineKeepsLineBreaks(t *testing.T) {
	for form, want := range map[CSVForm]string{
		CSVSafe:    "a,b\r\n\"one\r\ntwo\",'=x\r\n",
		CSVExcel:   "\ufeffa,b\r\n\"one\r\ntwo\",'=x\r\n",
		CSVMachine: "a,b\r\n\"one\ntwo\r\",=x\r\n",
	} {
		var out bytes.Buffer
		require.NoError(t, form.Write(&out, [][]string{{"a", "b"}, {form.Text("one\ntwo\r"), form.Text("=x")}}))
		assert.Equal(t, want, out.String())
	}
}

// More than a page, many of them at one time: all once, in order.
func TestWriteCSVPages(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		b := &Batch{}
		var want []string
		for i := range 2*csvPage + 7 {
			id := fmt.Sprintf("l%05d", i)
			want = append(want, id)
			b.Legs = append(b.Legs, Leg{Object: Object{
				ID: id, TraceID: "t", SpanID: id, State: StateEnded, StartedAt: at(float64(i / 700)), EndedAt: at(9), LastHeardAt: at(9), Phase: Stitched,
			}, Role: "participant"})
		}
		_, err := s.Write(t.Context(), b)
		require.NoError(t, err)
		assert.Equal(t, want, csvColumn(t, s, CSVFilter{}, "leg_id"))
		assert.Equal(t, want, csvColumn(t, s, CSVFilter{Filter: Filter{From: noon, To: noon.Add(time.Hour)}}, "leg_id"))
	})
}

func csvColumn(t *testing.T, s *Store, filter CSVFilter, name string) (values []string) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, s.WriteCSV(t.Context(), &out, filter))
	lines, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	for i, column := range lines[0] {
		if column == name {
			for _, line := range lines[1:] {
				values = append(values, line[i])
			}
		}
	}
	return values
}

func TestEscapeFormula(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"Ann-Marie O'Hara + guest": "Ann-Marie O'Hara + guest",
		"a@b.example; c@d":         "a@b.example; c@d",
		"=1+1":                     "'=1+1",
		"+1555":                    "'+1555",
		"\t=1":                     "'\t'=1",
		" =1":                      " '=1",
		"Ann;=HYPERLINK(\"x\")":    "Ann;'=HYPERLINK(\"x\")",
		"Ann; \"=1":                "Ann; \"'=1",
		"Ann\n@SUM(A1)":            "Ann\n'@SUM(A1)",
		"Ann\r\n\r\nAsh":           "Ann\r\n\r\nAsh",
		"\r\n=1":                   "'\r\n'=1",
		";":                        ";",
		"\uff1d1":                  "'\uff1d1",
	} {
		assert.Equal(t, want, EscapeFormula(text))
	}
}
