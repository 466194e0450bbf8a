// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
)

// The resources a client can subscribe to.
const (
	typeCalls  = "calls"
	typeInfo   = "callInfo"
	typeRoster = "callRoster"
)

// The states of a subscription.
const (
	statePending     = "pending"
	stateActive      = "active"
	stateDeactivated = "deactivated"
)

// The statuses of an acknowledgement.
const (
	statusSuccess = "success"
	statusFailure = "failure"
)

// message is a message of the server, which the client must acknowledge.
type message struct {
	ID                int64               `json:"messageId"`
	Type              string              `json:"type"`
	SubscriptionIndex *int64              `json:"subscriptionIndex,omitempty"`
	Subscriptions     []subscriptionState `json:"subscriptions,omitempty"`
	Updates           *[]elements         `json:"updates,omitempty"` // an empty list is sent too
	CallInfo          *elements           `json:"callInfo,omitempty"`
	Payload           elements            `json:"payload,omitempty"` // of unknown types
}

type subscriptionState struct {
	Index int64  `json:"index"`
	State string `json:"state"`
}

// ack answers a message.
type ack struct {
	ID     int64  `json:"messageId"`
	Status string `json:"status"`
}

// encode returns one JSON frame.
func encode(kind string, body any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{"type": kind, kind: body}); err != nil {
		panic(err) // these types always encode
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

func (m message) frame() []byte { return encode("message", m) }
func (a ack) frame() []byte     { return encode("messageAck", a) }

// json returns the update with the elements that asked keeps. identifier is "call" or
// "participant".
func (u update) json(identifier string, asked func(elements) elements) elements {
	e := elements{identifier: u.id, "updateType": u.kind}
	if u.reason != "" {
		e["reason"] = u.reason
	}
	maps.Copy(e, asked(u.elements))
	return e
}

// request is a subscribeRequest.
type request struct {
	Subscriptions []wanted `json:"subscriptions"`
}

// wanted is one subscription of a request.
type wanted struct {
	Index    *int64   `json:"index"`
	Type     string   `json:"type"`
	Call     string   `json:"call"`
	Elements []string `json:"elements"`
}

// incoming is a frame of a client.
type incoming struct {
	Type    string `json:"type"`
	Message *struct {
		ID   *int64 `json:"messageId"`
		Type string `json:"type"`
		request
	} `json:"message"`
	Ack *struct {
		ID     *int64 `json:"messageId"`
		Status string `json:"status"`
	} `json:"messageAck"`
}

var errShape = errors.New("neither a message nor an acknowledgement with a messageId")

// decode decodes a frame of a client, strictly as to types.
func decode(text []byte) (in incoming, err error) {
	if err = json.Unmarshal(text, &in); err != nil {
		return in, err
	}
	switch {
	case in.Type == "message" && in.Message != nil && in.Message.ID != nil:
	case in.Type == "messageAck" && in.Ack != nil && in.Ack.ID != nil:
	default:
		err = errShape
	}
	return in, err
}
