// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package object_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/meetingserver/api/object"
)

var update = flag.Bool("update", false, "write the golden file anew")

func decoder[T any](decode func([]byte) (T, error)) func([]byte) (any, error) {
	return func(body []byte) (any, error) { return decode(body) }
}

// decoders by the beginning of a fixture's name; the longest fits.
var decoders = map[string]func([]byte) (any, error){
	"system-status":                decoder(object.DecodeStatus),
	"system-alarms":                decoder(object.DecodeAlarms),
	"system-load":                  decoder(object.DecodeLoad),
	"load":                         decoder(object.DecodeLoad),
	"system-database":              decoder(object.DecodeDatabase),
	"system-configuration-cluster": decoder(object.DecodeCluster),
	"cluster":                      decoder(object.DecodeCluster),
	"licensing":                    decoder(object.DecodeLicensing),
	"callBridges":                  decoder(object.DecodeCallBridges),
	"callBridge-detail":            decoder(object.DecodeCallBridge),
	"calls":                        decoder(object.DecodeCalls),
	"call-detail":                  decoder(object.DecodeCall),
	"callLegs":                     decoder(object.DecodeCallLegs),
	"limit-ignored":                decoder(object.DecodeCallLegs),
	"callLeg-detail":               decoder(object.DecodeCallLeg),
	"participants":                 decoder(object.DecodeParticipants),
	"coSpaces":                     decoder(object.DecodeCoSpaces),
	"coSpace-detail":               decoder(object.DecodeCoSpace),
	"cdrReceivers":                 decoder(object.DecodeCDRReceivers),
	"error": func(body []byte) (any, error) {
		return object.Reasons(body), nil
	},
	"malformed": decoder(object.DecodeStatus),
}

func decoderOf(name string) (decode func([]byte) (any, error)) {
	longest := -1
	for prefix, candidate := range decoders {
		if strings.HasPrefix(name, prefix) && len(prefix) > longest {
			longest, decode = len(prefix), candidate
		}
	}
	return decode
}

// fixtures are all XML and HTML answers, by name below their directory.
func fixtures(tb testing.TB) map[string][]byte {
	tb.Helper()
	all := make(map[string][]byte)
	for _, root := range []string{"../../../../testdata/cms-api", "../../../../testdata/field/cms-api"} {
		require.NoError(tb, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if ext := filepath.Ext(path); err != nil || entry.IsDir() || ext != ".xml" && ext != ".html" {
				return err
			}
			body, err := os.ReadFile(path)
			name, _ := filepath.Rel(root, path)
			all[filepath.ToSlash(name)] = body
			return err
		}))
	}
	require.Greater(tb, len(all), 30)
	return all
}

// Every answer that was seen or is documented decodes to what stands in the golden
// file.
func TestGolden(t *testing.T) {
	got := make(map[string]any)
	for name, body := range fixtures(t) {
		decode := decoderOf(name)
		require.NotNil(t, decode, "no decoder for %s", name)
		value, err := decode(body)
		if err != nil {
			value = "error: " + err.Error()
		}
		got[name] = value
	}
	text, err := json.MarshalIndent(got, "", "  ")
	require.NoError(t, err)
	const golden = "testdata/decoded.json"
	if *update {
		require.NoError(t, os.WriteFile(golden, append(text, '\n'), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(text)+"\n", "run the test with -update")
	assert.NotContains(t, string(text), "SECRET-MUST-NOT-LEAK")
	assert.NotContains(t, string(text), "90210")
}

// Values that cannot be read are unknown, and never zero.
func TestUnknownIsNotZero(t *testing.T) {
	for _, value := range []string{"", "-1", "many", "1e3", "99999999999999999999", "0x10"} {
		s, err := object.DecodeStatus([]byte("<status><uptimeSeconds>" + value + "</uptimeSeconds><activated>" + value + "</activated></status>"))
		require.NoError(t, err)
		assert.Nil(t, s.UptimeSeconds, "%q", value)
		assert.Nil(t, s.Activated, "%q", value)
	}
	s, err := object.DecodeStatus([]byte("<status><uptimeSeconds> 9007199254740993 </uptimeSeconds><cdrTime>today</cdrTime></status>"))
	require.NoError(t, err)
	assert.Equal(t, int64(9_007_199_254_740_993), *s.UptimeSeconds, "64 bits")
	assert.True(t, s.CDRTime.IsZero())
	for _, value := range []string{"NaN", "Inf", "-0.5", "a"} {
		leg, err := object.DecodeCallLeg([]byte("<callLeg><status><rxAudio><jitter>" + value + "</jitter></rxAudio></status></callLeg>"))
		require.NoError(t, err)
		assert.Nil(t, leg.Status.RxAudio.Jitter, "%q", value)
	}
}

// Spellings, blanks, comments and characters that are not XML's hide no value.
func TestTolerance(t *testing.T) {
	f := func(document string, want object.CallLeg) {
		t.Helper()
		got, err := object.DecodeCallLeg([]byte(document))
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	want := object.CallLeg{ID: "a", SubType: "distributionLink", Status: object.LegStatus{SIPCallID: "x"}}
	f(`<callLeg id="a"><subType>distributionLink</subType><status><sipCallId>x</sipCallId></status></callLeg>`, want)
	f(`<callLeg id="a"><subtype>distributionLink</subtype><status><sipCallID>x</sipCallID></status></callLeg>`, want)
	f("\ufeff<?xml version=\"1.0\"?>\r\n<callLeg><id>a</id>\n<subType> distribution<!-- -->Link </subType><status><new><sipCallId>y</sipCallId></new><sipCallId><![CDATA[x]]></sipCallId></status></callLeg>\n", want)
	want.Name = "K\ufffdln \ufffd"
	f("<callLeg id='a'><name>K\xf6ln \x0b</name><subType>distributionLink</subType><status><sipCallId>x</sipCallId></status></callLeg>", want)
}

func TestErrors(t *testing.T) {
	f := func(body string, want error) {
		t.Helper()
		_, err := object.DecodeStatus([]byte(body))
		require.ErrorIs(t, err, want)
		_, err = object.DecodeCallLegs([]byte(body))
		require.ErrorIs(t, err, want)
		assert.Less(t, len(err.Error()), 300)
	}
	f("", object.ErrMalformed)
	f("<status><a></status>", object.ErrMalformed)
	f("<status>", object.ErrMalformed)
	f("<failureDetails/>", object.ErrMalformed)
	f("<"+strings.Repeat("x", 10_000)+"/>", object.ErrMalformed)
	f("HTTP/1.1 401 Unauthorized", object.ErrMalformed)
	f(" \n<!DOCTYPE HTML><html>", object.ErrHTML)
	f("<HTML><body>", object.ErrHTML)
	f(`<?xml version="1.0" encoding="UTF-8"?><html xmlns="x">`, object.ErrHTML)
}

// The nodes of a database come as elements or as attributes; -1 is no value.
func TestDatabase(t *testing.T) {
	want := object.Database{
		Clustered: new(true), TotalNodes: new(int64(2)), NodeInUse: "db1", Error: "e",
		Nodes: []object.DatabaseNode{
			{Hostname: "db1", Up: new(true), SyncBehind: new(int64(0)), Master: new(true)},
			{Hostname: "db2", Up: new(false), Master: new(false)},
		},
	}
	for _, nodes := range []string{
		`<node><hostname>db1</hostname><up>true</up><syncBehind>0</syncBehind><master>true</master></node>` +
			`<node><hostname>db2</hostname><up>false</up><syncBehind>-1</syncBehind><master>false</master></node>`,
		`<node hostname="db1" up="true" syncBehind="0" master="true"/><node hostname="db2" up="false" syncBehind="-1" master="false"/>`,
	} {
		got, err := object.DecodeDatabase([]byte(`<database clustered="enabled"><cluster><totalNodes>2</totalNodes><nodeInUse>db1</nodeInUse>` +
			nodes + `<error>e</error></cluster></database>`))
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestOwn(t *testing.T) {
	bridges := []object.CallBridge{{ID: "1", Name: "cms1"}, {ID: "2", Name: "CMS2"}, {ID: "g", Name: "cms2"}}
	own, found := object.FindOwn(object.Cluster{UniqueName: "cms2"}, bridges)
	assert.True(t, found)
	assert.Equal(t, "g", own.ID)
	for _, name := range []string{"", "cms", "cms3"} {
		_, found = object.FindOwn(object.Cluster{UniqueName: name}, append(bridges, object.CallBridge{}))
		assert.False(t, found, "%q", name)
	}
}

// What a server sends is held in a small multiple of its bytes.
func TestBounds(t *testing.T) {
	page, err := object.DecodeCalls([]byte("<calls total='-5'>" + strings.Repeat("<call/>", 10*object.MaxItems) + "</calls>"))
	require.NoError(t, err)
	assert.Len(t, page.Items, object.MaxItems)
	assert.Equal(t, object.MaxItems, page.Total)
	features, err := object.DecodeLicensing([]byte("<licensing><features>" + strings.Repeat("<a/>", 10*object.MaxItems) + "</features></licensing>"))
	require.NoError(t, err)
	assert.Len(t, features, object.MaxItems)
	leg, err := object.DecodeCallLeg([]byte("<callLeg><status>" + strings.Repeat("<rxVideo/>", 10*object.MaxItems) + "</status></callLeg>"))
	require.NoError(t, err)
	assert.Len(t, leg.Status.RxVideo, 16)
	reasons := object.Reasons([]byte("<failureDetails>" + strings.Repeat("<"+strings.Repeat("y", 100)+"/>", 100) + "</failureDetails>"))
	assert.Len(t, reasons, 8)
	assert.Len(t, reasons[0], 64)
}

// No input makes a decoder panic, and what it accepts has no more items than
// bytes.
func FuzzDecode(f *testing.F) {
	for _, body := range fixtures(f) {
		f.Add(body)
	}
	var all []func([]byte) (any, error)
	for _, name := range []string{
		"system-status", "system-alarms", "load", "system-database", "cluster", "licensing", "callBridges", "callBridge-detail",
		"calls", "call-detail", "callLegs", "callLeg-detail", "participants", "coSpaces", "coSpace-detail", "cdrReceivers", "error",
	} {
		all = append(all, decoders[name])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, decode := range all {
			value, err := decode(body)
			if err != nil {
				require.True(t, errorIsKnown(err), "%v", err)
				continue
			}
			text, err := json.Marshal(value)
			require.NoError(t, err)
			require.Less(t, len(text), 4096+600*len(body))
		}
	})
}

func errorIsKnown(err error) bool {
	return strings.HasPrefix(err.Error(), object.ErrHTML.Error()) || strings.HasPrefix(err.Error(), object.ErrMalformed.Error())
}
