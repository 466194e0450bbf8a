// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package eventstest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// Elements are those of a call or a participant.
type Elements = map[string]any

// Token asks for a token; the answer's status is returned too.
func Token(ctx context.Context, hc *http.Client, base, user, password string) (token string, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/v1/authTokens", http.NoBody)
	if err != nil {
		return "", 0, err
	}
	req.SetBasicAuth(user, password)
	res, err := hc.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer res.Body.Close()
	return res.Header.Get("X-Cisco-CMS-Auth-Token"), res.StatusCode, nil
}

// Dial opens a WebSocket with a token. Of a refusal it returns the status.
func Dial(ctx context.Context, hc *http.Client, base, token string) (*websocket.Conn, int, error) {
	conn, res, err := websocket.Dial(ctx, base+"/events/v1?authToken="+url.QueryEscape(token), &websocket.DialOptions{HTTPClient: hc})
	if res != nil {
		if res.Body != nil && err != nil {
			_ = res.Body.Close() // there is nothing in it
		}
		return conn, res.StatusCode, err
	}
	return conn, 0, err
}

// Frame is one frame as the fixtures have it.
type Frame struct {
	Dir   string          `json:"dir"` // c2s or s2c
	Frame json.RawMessage `json:"frame"`
}

// Client follows one bridge. Its fields may be read with the lock held.
type Client struct {
	sync.Mutex
	Calls   map[string]Elements
	Infos   map[string]Elements            // by call
	Rosters map[string]map[string]Elements // by call and participant
	Adds    int                            // of participants
	Removes int
	Reasons map[string]int // of removals, those without under ""
	Frames  []Frame        // when kept
	Wrong   []string       // violations of the protocol by the server

	keepFrames bool
	conn       *websocket.Conn
	subs       map[int64]*subscription
	lastOut    int64
	next       int64 // index
	nextIn     int64 // messageId
}

type subscription struct {
	kind, call, state string
}

// New makes a client of an open WebSocket. It keeps the frames if asked to.
func New(conn *websocket.Conn, keepFrames bool) *Client {
	conn.SetReadLimit(-1)
	return &Client{
		Calls: map[string]Elements{}, Infos: map[string]Elements{}, Rosters: map[string]map[string]Elements{},
		Reasons: map[string]int{}, conn: conn, keepFrames: keepFrames, subs: map[int64]*subscription{}, lastOut: -1,
	}
}

// Names are all elements of a type of subscription.
var Names = map[string][]string{
	"calls":      strings.Fields("name participants distributedInstances recording endpointRecording streaming lockState callType callCorrelator"),
	"callInfo":   strings.Fields("name participants distributedInstances recording endpointRecording streaming lockState callType callCorrelator joinAudioMuteOverride"),
	"callRoster": strings.Fields("name uri state direction audioMuted videoMuted importance layout activeSpeaker presenter endpointRecording canMove canMoveToLobby movedParticipant movedParticipantCallBridge"),
}

// Follow follows the bridge until the connection ends, or ctx.
func (c *Client) Follow(ctx context.Context) error {
	c.Lock()
	c.subscribe("calls", "")
	request := c.request()
	c.Unlock()
	if err := c.send(ctx, request); err != nil {
		return err
	}
	for {
		kind, text, err := c.conn.Read(ctx)
		if err != nil {
			return err
		}
		c.Lock()
		if kind != websocket.MessageText {
			c.recordError("a frame that is no text")
		}
		replies := c.handleFrame(text)
		c.Unlock()
		for _, reply := range replies {
			if err := c.send(ctx, reply); err != nil {
				return err
			}
		}
	}
}

func (c *Client) send(ctx context.Context, frame any) error {
	text, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	c.Lock()
	c.recordFrame("c2s", text)
	c.Unlock()
	return c.conn.Write(ctx, websocket.MessageText, text)
}

func (c *Client) recordFrame(dir string, text []byte) {
	if c.keepFrames {
		c.Frames = append(c.Frames, Frame{dir, text})
	}
}

func (c *Client) recordError(format string, args ...any) {
	c.Wrong = append(c.Wrong, fmt.Sprintf(format, args...))
}

// Requests counts the requests made so far.
func (c *Client) Requests() int { return int(c.lastOut + 1) }

func (c *Client) subscribe(kind, call string) {
	c.subs[c.next] = &subscription{kind: kind, call: call}
	c.next++
}

// request is a request for the complete set.
func (c *Client) request() any {
	list := []Elements{}
	for index := range c.next {
		s := c.subs[index]
		if s == nil {
			continue
		}
		e := Elements{"index": index, "type": s.kind, "elements": Names[s.kind]}
		if s.call != "" {
			e["call"] = s.call
		}
		list = append(list, e)
	}
	c.lastOut++
	return Elements{"type": "message", "message": Elements{"messageId": c.lastOut, "type": "subscribeRequest", "subscriptions": list}}
}

// message is a message of a server.
type message struct {
	ID            *int64 `json:"messageId"`
	Type          string `json:"type"`
	Index         *int64 `json:"subscriptionIndex"`
	Subscriptions []struct {
		Index int64  `json:"index"`
		State string `json:"state"`
	} `json:"subscriptions"`
	Updates  []Elements `json:"updates"`
	CallInfo Elements   `json:"callInfo"`
}

// handleFrame applies a frame and returns the replies, the acknowledgement first.
func (c *Client) handleFrame(text []byte) (replies []any) {
	c.recordFrame("s2c", text)
	var frame struct {
		Type    string   `json:"type"`
		Message *message `json:"message"`
		Ack     *struct {
			ID     int64  `json:"messageId"`
			Status string `json:"status"`
		} `json:"messageAck"`
	}
	if err := json.Unmarshal(text, &frame); err != nil {
		c.recordError("no JSON: %v", err)
		return nil
	}
	if frame.Ack != nil {
		if frame.Ack.ID > c.lastOut {
			c.recordError("acknowledged %+v", *frame.Ack)
		}
		if frame.Ack.Status != "success" {
			return []any{c.request()}
		}
		return nil
	}
	m := frame.Message
	if m == nil || m.ID == nil || *m.ID != c.nextIn {
		c.recordError("message %d has another identifier: %s", c.nextIn, text)
		return nil
	}
	c.nextIn++
	replies = append(replies, Elements{"type": "messageAck", "messageAck": Elements{"messageId": *m.ID, "status": "success"}})
	if c.apply(m) {
		replies = append(replies, c.request())
	}
	return replies
}
