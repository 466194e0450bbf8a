// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBadFlagsNameFlagAndValue(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-target", "ftp://x/cdr"}, `-target: must be an http or https URL, got "ftp://x/cdr"`},
		{[]string{"-target", "/cdr"}, `-target: must be an http or https URL, got "/cdr"`},
		{[]string{"-start", "yesterday"}, `-start: must be an RFC 3339 time, got "yesterday"`},
		{[]string{"-bridges", "0"}, `-bridges: must be at least 1, got "0"`},
		{[]string{"-meetings", "-1"}, `-meetings: must be at least 0, got "-1"`},
		{[]string{"-speed", "-2"}, `-speed: must be at least 0, got "-2"`},
		{[]string{"-speed", "NaN"}, `-speed: must be at least 0, got "NaN"`},
		{[]string{"-max-batch", "0"}, `-max-batch: must be at least 1, got "0"`},
		{[]string{"-buffer", "50"}, `-buffer: must be more than -max-batch (50), got "50"`},
		{[]string{"-retry", "-1s"}, `-retry: must be at least 0s, got "-1s"`},
		{[]string{"-timeout", "0"}, `-timeout: must be at least 1ms, got "0s"`},
		{[]string{"-give-up", "-1s"}, `-give-up: must be at least 0s, got "-1s"`},
		{[]string{"-seed", "x"}, `invalid value "x" for flag -seed: parse error`},
		{[]string{"-faults", "lost-ack=2"}, `-faults: lost-ack must be between 0 and 1, got "2"`},
		{[]string{"-faults", "shift,malformed=x"}, `-faults: malformed must be between 0 and 1, got "x"`},
		{[]string{"-faults", "malformed=NaN"}, `-faults: malformed must be between 0 and 1, got "NaN"`},
		{[]string{"-faults", "overflow=-1"}, `-faults: overflow must be a whole number of at least 0, got "-1"`},
		{[]string{"-faults", "skew=5"}, `-faults: skew must be a duration of at least 0s, got "5"`},
		{[]string{"-faults", "shift=1"}, `-faults: shift takes no value, got "1"`},
		{[]string{"-faults", "restart"}, `-faults: restart needs a value, got ""`},
		{[]string{"-faults", "fire"}, `-faults: unknown fault, got "fire"`},
		{[]string{"-ca", "nowhere.pem"}, `-ca: open nowhere.pem: no such file or directory`},
		{[]string{"-ca", "options_test.go"}, `-ca: options_test.go holds no certificate in PEM`},
		{[]string{"-cert", "a.pem"}, `-cert and -key: need each other, got "a.pem" and ""`},
		{[]string{"-cert", "a.pem", "-key", "b.pem"}, `-cert a.pem, -key b.pem: open a.pem: no such file or directory`},
		{[]string{"-frob"}, `flag provided but not defined: -frob`},
		{[]string{"frob"}, `unexpected argument "frob"`},
	} {
		var errs bytes.Buffer
		assert.Equal(t, exitUsage, run(t.Context(), tc.args, nil, &errs), tc.args)
		assert.Equal(t, "callsim: "+tc.want+"\n", errs.String())
	}
}

func TestTooManyOverflows(t *testing.T) {
	var errs bytes.Buffer
	assert.Equal(t, exitUsage, run(t.Context(), []string{"-meetings", "1", "-faults", "overflow=100"}, nil, &errs))
	assert.Regexp(t, `^callsim: -faults: too few records for overflow \d+ of 100, got "overflow=100"\n$`, errs.String())
}

func TestHelpIsNoFailure(t *testing.T) {
	var errs bytes.Buffer
	assert.Zero(t, run(t.Context(), []string{"-h"}, nil, &errs))
	for _, f := range allFaults {
		assert.Contains(t, errs.String(), f.name)
	}
}

func TestLiveChangesOnlyDefaults(t *testing.T) {
	o, err := parseOptions([]string{"-live"}, nil)
	require.NoError(t, err)
	assert.Zero(t, o.meetings)
	assert.InDelta(t, 1, o.speed, 0)
	assert.WithinDuration(t, time.Now(), o.start, 10*time.Second)
	assert.NotEqual(t, uint64(1), o.seed)

	o, err = parseOptions([]string{"-live", "-meetings", "2", "-speed", "9", "-seed", "1", "-start", "2030-01-01T00:00:00+01:00"}, nil)
	require.NoError(t, err)
	assert.Equal(t, 2, o.meetings)
	assert.InDelta(t, 9, o.speed, 0)
	assert.Equal(t, uint64(1), o.seed)
	assert.Equal(t, "2029-12-31T23:00:00Z", o.start.UTC().Format(time.RFC3339))
}

func TestURLKeepsTheQuery(t *testing.T) {
	for target, want := range map[string]string{
		"http://h:1/cdr":             "http://h:1/cdr?system_id=cms1",
		"https://h/p?token=a%20b&x=": "https://h/p?token=a%20b&x=&system_id=cms1",
	} {
		o, err := parseOptions([]string{"-target", target}, nil)
		require.NoError(t, err)
		assert.Equal(t, want, o.url("cms1"))
	}
}
