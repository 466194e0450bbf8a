// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Ringing, the menu and the lobby are no connected time; the schema has the same for
// rows of earlier releases.
func TestConnectedSeconds(t *testing.T) {
	set := func(id string, seconds float64, change func(*Leg)) Leg {
		return closedAs("complete", seconds, func(l *Leg) {
			l.ID, l.Role = id, "participant"
			change(l)
		})
	}
	zero := new(0.0)
	rows := map[string]struct {
		leg  Leg
		want float64
	}{
		"activated":              {set("1", 45, func(l *Leg) { l.IVRSeconds, l.SetupSeconds, l.ActivatedSeconds = zero, zero, new(29.0) }), 29},
		"activated for longer":   {set("2", 45, func(l *Leg) { l.ActivatedSeconds = new(99.0) }), 45},
		"older bridge":           {set("3", 100, func(l *Leg) { l.IVRSeconds, l.SetupSeconds, l.LobbySeconds = new(10.0), new(5.0), new(20.0) }), 65},
		"longer than it lasted":  {set("4", 10, func(l *Leg) { l.IVRSeconds, l.SetupSeconds = new(10.0), new(5.0) }), 0},
		"rang and was cancelled": {set("5", 45, func(l *Leg) { l.IVRSeconds, l.Reason = zero, "callEnded" }), 0},
		"rang out": {set("6", 45, func(l *Leg) {
			l.ActivatedSeconds, l.Reason, l.ErrorType = new(45.0), "ringingTimeout", "ringingTimeout"
		}), 0},
		"busy, start not seen":  {set("7", 45, func(l *Leg) { l.Reason, l.ErrorType = "remoteBusy", "remoteBusy" }), 0},
		"failed while ringing":  {set("8", 45, func(l *Leg) { l.IVRSeconds, l.Reason, l.ErrorType = zero, "error", "error" }), 0},
		"failed when connected": {set("9", 45, func(l *Leg) { l.IVRSeconds, l.SetupSeconds, l.Reason, l.ErrorType = zero, new(5.0), "error", "error" }), 40},
		"start not seen":        {set("10", 45, func(l *Leg) { l.Reason = "remoteTeardown" }), 45},
	}
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		for _, row := range rows {
			_, err := s.Write(t.Context(), &Batch{Legs: []Leg{row.leg}})
			require.NoError(t, err)
		}
		only := set("only the end", 45, func(l *Leg) { l.Role, l.Reason = "", "remoteTeardown" })
		_, err := s.Write(t.Context(), &Batch{Legs: []Leg{only}})
		require.NoError(t, err)
		got, err := Select[Leg](t.Context(), s, "WHERE role IS NULL")
		require.NoError(t, err)
		require.Len(t, got, 1)
		assert.Nil(t, got[0].ConnectedSeconds, "nothing says how long it rang")
		check := func(by string) {
			for name, row := range rows {
				got, err := Select[Leg](t.Context(), s, "WHERE id = $1", row.leg.ID)
				require.NoError(t, err)
				assert.InDelta(t, row.want, *got[0].ConnectedSeconds, 1e-9, "%s, by %s", name, by)
			}
		}
		check("the program")
		all, err := migrations(driver)
		require.NoError(t, err)
		backfill, _, _ := strings.Cut(all[6].sql, ";")
		tx, err := s.d.begin(t.Context())
		require.NoError(t, err)
		for _, statement := range []string{"UPDATE call_legs SET connected_seconds = NULL", backfill} {
			_, err = tx.exec(t.Context(), statement)
			require.NoError(t, err)
		}
		require.NoError(t, tx.commit(t.Context()))
		check("the schema")
	})
}
