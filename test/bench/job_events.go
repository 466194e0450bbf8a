// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"

	"github.com/gorilla/websocket"

	"github.com/legato-otel/legato/receiver/cmseventsreceiver"
)

// The kinds of clients.
const (
	eventsReceiver = "cmsevents"
	eventsGorilla  = "gorilla"
)

// beginEvents follows the events of a Call Bridge and counts their log records, or frames.
func beginEvents(ctx context.Context, s setup) (job, error) {
	if s.Kind == eventsGorilla {
		return followBare(ctx, s.Address)
	}
	into := new(counter)
	receive, err := startReceiver(ctx, cmseventsreceiver.NewFactory(), map[string]any{
		"servers": []any{map[string]any{
			"endpoint": "http://" + s.Address, "username": "u", "password": "p", "tls": map[string]any{"insecure": true},
		}},
		"max_connections": s.Sockets,
	}, into, nil)
	return &countingJob{&into.records, receive.Shutdown}, err
}

// bareFrame is the least decoder of a program that follows rosters and calls.
type bareFrame struct {
	Message *struct {
		MessageID         int64  `json:"messageId"`
		Type              string `json:"type"`
		SubscriptionIndex int64  `json:"subscriptionIndex"`
		Subscriptions     []struct {
			Index int64  `json:"index"`
			State string `json:"state"`
		} `json:"subscriptions"`
		Updates []struct {
			Call              string   `json:"call"`
			Participant       string   `json:"participant"`
			UpdateType        string   `json:"updateType"`
			Reason            *string  `json:"reason"`
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
		} `json:"updates"`
	} `json:"message"`
}

type bareAck struct {
	Type       string `json:"type"`
	MessageAck struct {
		MessageID int64  `json:"messageId"`
		Status    string `json:"status"`
	} `json:"messageAck"`
}

// followBare reads, decodes and acknowledges, and does nothing else.
func followBare(ctx context.Context, address string) (job, error) {
	conn, response, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+address+"/events/v1?authToken=token", nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	request := `{"type":"message","message":{"messageId":1,"type":"subscribeRequest","subscriptions":[{"index":1,"type":"calls"},` +
		`{"index":2,"type":"callRoster","call":"` + callOf(0) + `"}]}}`
	if err := conn.WriteMessage(websocket.TextMessage, []byte(request)); err != nil {
		return nil, err
	}
	took, done := new(atomic.Int64), make(chan struct{})
	go func() {
		defer close(done)
		_ = readBare(conn, took) // it ends with the connection; frames that it did not take are missed
	}()
	return &countingJob{took, func(context.Context) error {
		err := conn.Close()
		<-done
		return err
	}}, nil
}

func readBare(conn *websocket.Conn, took *atomic.Int64) error {
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		var f bareFrame
		if err := json.Unmarshal(text, &f); err != nil {
			return err
		}
		if f.Message == nil {
			continue
		}
		answer := bareAck{Type: "messageAck"}
		answer.MessageAck.MessageID, answer.MessageAck.Status = f.Message.MessageID, "success"
		text, err = json.Marshal(answer)
		if err != nil {
			return errors.Join(err, conn.Close())
		}
		if err := conn.WriteMessage(websocket.TextMessage, text); err != nil {
			return err
		}
		took.Add(1)
	}
}
