// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const postRecords = 10

// post is a body as a busy bridge sends it: ten records of all kinds, about
// half of it leg ends.
func post(tb testing.TB) string {
	tb.Helper()
	bodies := fixtures(tb)
	var records []string
	for _, name := range []string{
		"flow/post-1.xml", "flow/post-2.xml", "flow/post-3.xml", "flow/post-5.xml", "flow/post-6.xml",
		"callLegEnd-rich.xml", "distributed/bridge-a-1.xml",
	} {
		batch := decode(bodies[name])
		for i := range batch.Records {
			records = append(records, batch.Records[i].Raw)
		}
	}
	require.GreaterOrEqual(tb, len(records), postRecords)
	return `<?xml version="1.0"?><records session="ebbd0059-8629-42bd-8e92-b7f12692b0d5" ` +
		`callBridge="d80df859-cbc0-44ee-8611-449ab1bf39d7">` + strings.Join(records[:postRecords], "\n") + "\n</records>\n"
}

// The same fields as structs of encoding/xml, for comparison only.
type (
	xmlMedia struct {
		Codec         string `xml:"codec"`
		MaxSizeWidth  int64  `xml:"maxSizeWidth"`
		MaxSizeHeight int64  `xml:"maxSizeHeight"`
		BurstDuration string `xml:"packetStatistics>packetLossBursts>duration"`
		BurstDensity  string `xml:"packetStatistics>packetLossBursts>density"`
		GapDuration   string `xml:"packetStatistics>packetGap>duration"`
		GapDensity    string `xml:"packetStatistics>packetGap>density"`
	}
	xmlAlarm struct {
		Type               string `xml:"type,attr"`
		DurationPercentage string `xml:"durationPercentage,attr"`
	}
	xmlLeg struct {
		ID                     string     `xml:"id,attr"`
		RemoteParty            string     `xml:"remoteParty"`
		LocalAddress           string     `xml:"localAddress"`
		DisplayName            string     `xml:"displayName"`
		RemoteAddress          string     `xml:"remoteAddress"`
		Type                   string     `xml:"type"`
		SubType                string     `xml:"subType"`
		Direction              string     `xml:"direction"`
		Call                   string     `xml:"call"`
		GroupID                string     `xml:"groupId"`
		SIPCallID              string     `xml:"sipCallId"`
		OwnerID                string     `xml:"ownerId"`
		CdrTag                 string     `xml:"cdrTag"`
		CanMove                bool       `xml:"canMove"`
		State                  string     `xml:"state"`
		Deactivated            bool       `xml:"deactivated"`
		Reason                 string     `xml:"reason"`
		ReasonDetails          string     `xml:"reasonDetails"`
		RemoteTeardown         bool       `xml:"remoteTeardown"`
		ConfirmationStatus     string     `xml:"confirmationStatus"`
		DurationSeconds        float64    `xml:"durationSeconds"`
		ActivatedDuration      float64    `xml:"activatedDuration"`
		MainVideoViewer        float64    `xml:"mediaUsagePercentages>mainVideoViewer"`
		MainVideoContributor   float64    `xml:"mediaUsagePercentages>mainVideoContributor"`
		PresentationViewer     float64    `xml:"mediaUsagePercentages>presentationViewer"`
		PresentationContibutor float64    `xml:"mediaUsagePercentages>presentationContributor"`
		MaxScreens             int64      `xml:"multistreamVideo>maxScreens"`
		EncryptedMedia         bool       `xml:"encryptedMedia"`
		UnencryptedMedia       bool       `xml:"unencryptedMedia"`
		Alarms                 []xmlAlarm `xml:"alarm"`
		RxAudio                *xmlMedia  `xml:"rxAudio"`
		TxAudio                *xmlMedia  `xml:"txAudio"`
		RxVideo                *xmlMedia  `xml:"rxVideo"`
		TxVideo                *xmlMedia  `xml:"txVideo"`
	}
	xmlCall struct {
		ID                string  `xml:"id,attr"`
		Name              string  `xml:"name"`
		OwnerName         string  `xml:"ownerName"`
		CallType          string  `xml:"callType"`
		CoSpace           string  `xml:"coSpace"`
		CallCorrelator    string  `xml:"callCorrelator"`
		CallLegsCompleted int64   `xml:"callLegsCompleted"`
		CallLegsMaxActive int64   `xml:"callLegsMaxActive"`
		DurationSeconds   float64 `xml:"durationSeconds"`
	}
	xmlRecord struct {
		Type            string   `xml:"type,attr"`
		Time            string   `xml:"time,attr"`
		RecordIndex     uint64   `xml:"recordIndex,attr"`
		CorrelatorIndex uint64   `xml:"correlatorIndex,attr"`
		Call            *xmlCall `xml:"call"`
		CallLeg         *xmlLeg  `xml:"callLeg"`
	}
	xmlRecords struct {
		Session    string      `xml:"session,attr"`
		CallBridge string      `xml:"callBridge,attr"`
		Records    []xmlRecord `xml:"record"`
	}
)

func BenchmarkDecode(b *testing.B) {
	text := post(b)
	run := func(name string, work func() int) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if n := work(); n != postRecords {
					b.Fatalf("%d records", n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/postRecords, "ns/record")
		})
	}
	var d Decoder
	run("legato", func() int {
		batch := d.Decode(text)
		return len(batch.Records) - len(batch.Malformed)
	})
	body := []byte(text)
	run("encoding_xml", func() int {
		var records xmlRecords
		if err := xml.Unmarshal(body, &records); err != nil {
			b.Fatal(err)
		}
		return len(records.Records)
	})
}

// A record costs no allocation of its own: the buffers are the decoder's. What
// allocates is a reference to be decoded, an unknown path, a split text.
func TestDecodingDoesNotAllocate(t *testing.T) {
	f := func(text string, want float64) {
		t.Helper()
		var d Decoder
		require.Empty(t, d.Decode(text).Malformed)
		assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { d.Decode(text) }), want, "%.80s", text)
	}
	bodies := fixtures(t)
	f(bodies["flow/post-1.xml"], 0)
	f(bodies["flow/post-6.xml"], 0)
	f(bodies["flow/post-2-pretty.xml"], 0)
	f(bodies["callLegEnd-multiStreamVideo-spelling.xml"], 0)
	f(bodies["callLegEnd-rich.xml"], 1) // one &amp;
	f(body(strings.Repeat(record(1), 1000)), 0)
	f(strings.ReplaceAll(post(t), "><", ">\n    <"), 1)
	f(post(t), 1)
}
