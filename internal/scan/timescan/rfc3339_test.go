// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package timescan

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// texts are timestamps as servers send them, and those that differ from them a little.
// isFast is true for the valid ones that parseUTC parses.
var texts = []struct {
	text   string
	want   string // RFC 3339 with nanoseconds; "" for an error
	isFast bool
}{
	{"2024-03-05T11:20:33Z", "2024-03-05T11:20:33Z", true},
	{"2024-06-10T07:50:51.123Z", "2024-06-10T07:50:51.123Z", true},
	{"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", true},
	{"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z", true},
	{"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", true},
	{"0000-02-29T00:00:00.000Z", "0000-02-29T00:00:00Z", true},
	{"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", true},
	// leap years
	{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", true},
	{"2000-02-29T23:59:59Z", "2000-02-29T23:59:59Z", true},
	{"2023-02-29T00:00:00Z", "", false},
	{"1900-02-29T00:00:00Z", "", false},
	{"2100-02-29T00:00:00.000Z", "", false},
	// lengths of months
	{"2024-01-31T00:00:00Z", "2024-01-31T00:00:00Z", true},
	{"2024-04-30T00:00:00Z", "2024-04-30T00:00:00Z", true},
	{"2024-04-31T00:00:00Z", "", false},
	{"2024-06-31T00:00:00Z", "", false},
	{"2024-09-31T00:00:00Z", "", false},
	{"2024-11-31T00:00:00.000Z", "", false},
	{"2024-01-32T00:00:00Z", "", false},
	{"2024-01-00T00:00:00Z", "", false},
	{"2024-00-10T00:00:00Z", "", false},
	{"2024-13-10T00:00:00Z", "", false},
	// the clock
	{"2024-06-10T23:59:59Z", "2024-06-10T23:59:59Z", true},
	{"2024-06-10T24:00:00Z", "", false},
	{"2024-06-10T23:60:00Z", "", false},
	{"2024-06-10T23:59:60Z", "", false},
	{"2016-12-31T23:59:60.000Z", "", false},
	// other forms of RFC 3339
	{"2024-06-10T07:50:51+00:00", "2024-06-10T07:50:51Z", false},
	{"2024-06-10T07:50:51-00:00", "2024-06-10T07:50:51Z", false},
	{"2024-06-10T07:50:51+02:00", "2024-06-10T05:50:51Z", false},
	{"2024-06-10T07:50:51.123-05:30", "2024-06-10T13:20:51.123Z", false},
	{"2024-06-10T07:50:51.1Z", "2024-06-10T07:50:51.1Z", false},
	{"2024-06-10T07:50:51.123456789Z", "2024-06-10T07:50:51.123456789Z", false},
	{"2024-06-10T07:50:51.1234567891Z", "2024-06-10T07:50:51.123456789Z", false},
	// package time accepts some texts that are not RFC 3339
	{"2024-06-10T07:50:51,123Z", "2024-06-10T07:50:51.123Z", false},
	{"2024-06-10T7:50:51Z", "2024-06-10T07:50:51Z", false},
	{"2024-06-10T7:50:51.12Z", "2024-06-10T07:50:51.12Z", false},
	// no times
	{"2024-06-10t07:50:51Z", "", false},
	{"2024-06-10T07:50:51z", "", false},
	{"2024-06-10 07:50:51Z", "", false},
	{"2024/06/10T07:50:51Z", "", false},
	{"2024-06-10T07.50.51Z", "", false},
	{"2024-06-10T07:50:51", "", false},
	{"2024-06-10T07:50:51.123", "", false},
	{"2024-06-10T07:50:51+0200", "", false},
	{"2024-06-10T07:50:5:Z", "", false},
	{"2024-06-10T07:50:5/Z", "", false},
	{"2024-06-10T07:50:51.12:Z", "", false},
	{"-024-06-10T07:50:51Z", "", false},
	{"+024-06-10T07:50:51Z", "", false},
	{"2024-06-1\xb0T07:50:51Z", "", false},
	{"２024-06-10T07:50:51Z", "", false},
	{"yesterday", "", false},
	{"", "", false},
}

func TestRFC3339(t *testing.T) {
	for _, row := range texts {
		got, err := RFC3339(row.text)
		assert.Equal(t, row.want != "", err == nil, "%q: %v", row.text, err)
		if err == nil {
			assert.Equal(t, row.want, got.UTC().Format(time.RFC3339Nano), "%q", row.text)
		}
		_, isFast := parseUTC(row.text)
		assert.Equal(t, row.isFast, isFast, "%q", row.text)
		requireSame(t, row.text)
	}
}

// requireSame fails unless package time and RFC3339 agree about a text.
func requireSame(t *testing.T, text string) {
	t.Helper()
	want, wantErr := time.Parse(time.RFC3339, text)
	got, err := RFC3339(text)
	require.Equal(t, wantErr, err, "%q", text)
	require.Equal(t, want, got, "%q", text) // wall clock and location too
}

// mutate returns a timestamp of one of the forms that servers send, half of them with one
// to three characters changed, removed or added.
func mutate(d *rand.Rand) string {
	forms := [...]string{"2006-01-02T15:04:05Z", "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05.000000Z", time.RFC3339Nano}
	const year0, year10000 = -62167219200, 253402300800 // seconds since 1970
	zone := time.FixedZone("", (d.IntN(29)-14)*3600+d.IntN(4)*900)
	at := time.Unix(year0+86400+d.Int64N(year10000-year0-2*86400), d.Int64N(int64(time.Second))).In(zone)
	text := []byte(at.Format(forms[d.IntN(len(forms))]))
	if d.IntN(2) == 0 {
		return string(text)
	}
	const alphabet = "0123456789-+:.,TtZz/ \x80\xb0"
	for range 1 + d.IntN(3) {
		i, c := d.IntN(len(text)), alphabet[d.IntN(len(alphabet))]
		switch d.IntN(6) {
		case 0:
			text = append(text[:i], text[i+1:]...)
		case 1:
			text = append(text[:i+1], text[i:]...)
			text[i] = c
		default:
			text[i] = c
		}
	}
	return string(text)
}

func TestRFC3339IsThatOfPackageTime(t *testing.T) {
	d := rand.New(rand.NewPCG(3, 4))
	for range 50_000 {
		requireSame(t, mutate(d))
	}
}

// Each day of 400 years, after which the calendar repeats, and each second of a day.
func TestEachDayAndSecond(t *testing.T) {
	day := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	for ; day.Year() < 2300; day = day.AddDate(0, 0, 1) {
		got, ok := parseUTC(day.Format(time.RFC3339))
		require.True(t, ok, day)
		require.True(t, day.Equal(got), "%s: %s", day, got)
		require.Equal(t, day.AddDate(0, 1, -day.Day()).Day(), DaysIn(day.Year(), int(day.Month())), day)
	}
	for second := day; second.Day() == day.Day(); second = second.Add(time.Second) {
		got, ok := parseUTC(second.Format(time.RFC3339))
		require.True(t, ok, second)
		require.True(t, second.Equal(got), "%s: %s", second, got)
	}
}

func TestRFC3339DoesNotAllocate(t *testing.T) {
	for _, text := range []string{"2024-03-05T11:20:33Z", "2024-06-10T07:50:51.123Z"} {
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = RFC3339(text) }), text)
	}
}

func FuzzRFC3339(f *testing.F) {
	for _, row := range texts {
		f.Add(row.text)
	}
	f.Fuzz(requireSame)
}

func BenchmarkRFC3339(b *testing.B) {
	for _, text := range []string{"2024-03-05T11:20:33Z", "2024-06-10T07:50:51.123Z", "2024-06-10T07:50:51+02:00"} {
		b.Run("legato/"+text, func(b *testing.B) {
			for b.Loop() {
				_, _ = RFC3339(text)
			}
		})
		b.Run("time/"+text, func(b *testing.B) {
			for b.Loop() {
				_, _ = time.Parse(time.RFC3339, text)
			}
		})
	}
}
