// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// rosterAdd is an add as the servers send it, with all documented elements.
const rosterAdd = `{"type":"message","message":{"messageId":5,"type":"rosterUpdate","subscriptionIndex":2,"updates":[{"participant":"383e2b95-73ef-4a8d-84ca-189e795009b8","updateType":"add","name":"Nora Quill","uri":"nora","state":"connected","direction":"incoming","audioMuted":false,"videoMuted":false,"importance":null,"layout":"speakerOnly","activeSpeaker":false,"presenter":false,"endpointRecording":"inactive","canMove":true,"canMoveToLobby":true}]}}`

func BenchmarkDecode(b *testing.B) {
	data := []byte(rosterAdd)
	b.Run("this", func(b *testing.B) {
		var d Decoder
		var f Frame
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if err := d.Decode(data, &f); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		type update struct {
			Participant       string   `json:"participant"`
			UpdateType        string   `json:"updateType"`
			Name              *string  `json:"name"`
			URI               *string  `json:"uri"`
			State             *string  `json:"state"`
			Direction         *string  `json:"direction"`
			AudioMuted        *bool    `json:"audioMuted"`
			VideoMuted        *bool    `json:"videoMuted"`
			Importance        *float64 `json:"importance"`
			Layout            *string  `json:"layout"`
			ActiveSpeaker     *bool    `json:"activeSpeaker"`
			Presenter         *bool    `json:"presenter"`
			EndpointRecording *string  `json:"endpointRecording"`
			CanMove           *bool    `json:"canMove"`
			CanMoveToLobby    *bool    `json:"canMoveToLobby"`
		}
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var f struct {
				Type    string `json:"type"`
				Message struct {
					MessageID         *int64   `json:"messageId"`
					Type              string   `json:"type"`
					SubscriptionIndex int64    `json:"subscriptionIndex"`
					Updates           []update `json:"updates"`
				} `json:"message"`
			}
			if err := json.Unmarshal(data, &f); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkReceive updates one flag of one of 2000 participants.
func BenchmarkReceive(b *testing.B) {
	opts := Options{Servers: 1, MaxConnections: 1, SnapshotGrace: time.Second, LostAfter: time.Minute, Limits: DefaultLimits}
	for k := range opts.Elements {
		opts.Elements[k] = DocumentedElements(SubKind(k))
	}
	c := NewCluster(opts, sinkFunc(func(*Change) bool { return true }))
	now := time.Unix(1_700_000_000, 0)
	var d Decoder
	var f Frame
	send := func(text string) {
		if err := d.Decode([]byte(text), &f); err != nil {
			b.Fatal(err)
		}
		c.Receive(now, 0, 0, &f)
	}
	c.SocketOpened(now, 0, 0)
	send(`{"message":{"messageId":0,"type":"callListUpdate","updates":[{"call":"c","updateType":"add","name":"Board"}]}}`)
	c.Advance(now.Add(time.Second))
	var frames [2][2000][]byte
	for p := range 2000 {
		send(fmt.Sprintf(`{"message":{"messageId":0,"type":"rosterUpdate","subscriptionIndex":2,"updates":[{"participant":"p%d","updateType":"add","name":"n","audioMuted":false}]}}`, p))
		for v, value := range []string{"true", "false"} {
			frames[v][p] = fmt.Appendf(nil, `{"type":"message","message":{"messageId":0,"type":"rosterUpdate","subscriptionIndex":2,"updates":[{"participant":"p%d","updateType":"update","audioMuted":%s}]}}`, p, value)
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		frame := frames[i/2000%2][i%2000]
		i++
		if err := d.Decode(frame, &f); err != nil {
			b.Fatal(err)
		}
		if c.Receive(now, 0, 0, &f) != Accepted {
			b.Fatal("not accepted")
		}
	}
}
