// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

const cdrReceiversPath = "/system/cdrReceivers"

// CDRReceiver is a place of the list of receivers a Call Bridge posts to.
type CDRReceiver struct {
	ID string `xml:"id,attr"`
	// URI is "" for an empty place.
	URI string `xml:"uri"`
}

// CDRReceivers is the list; it belongs to one Call Bridge, not to its cluster.
type CDRReceivers struct {
	// Total is how many places are taken, empty ones included.
	Total int `xml:"total,attr"`
	// Maximum is how many there can be; 4 on every server seen.
	Maximum   int           `xml:"maximum,attr"`
	Receivers []CDRReceiver `xml:"cdrReceiver"`
}

// ErrCDRReceiversFull says that a Call Bridge has no place for another receiver.
var ErrCDRReceiversFull = errors.New("the Call Bridge has no place for another CDR receiver; remove one on the bridge")

// CDRReceivers reads the list.
func (c *Client) CDRReceivers(ctx context.Context) (CDRReceivers, error) {
	var list CDRReceivers
	err := c.get(ctx, cdrReceiversPath, &list)
	return list, err
}

// Registration is what RegisterCDRReceiver did.
type Registration string

// The ways to a registration.
const (
	// Present: the URI was there.
	Present Registration = "present"
	// Updated: an entry of ours had another query, or a place was empty.
	Updated Registration = "updated"
	// Created: a new entry was made.
	Created Registration = "created"
)

// RegisterCDRReceiver makes the bridge post to uri. It is idempotent and never
// touches a receiver that is not ours: ours is what has the same scheme, host
// and path. A full list is ErrCDRReceiversFull.
func (c *Client) RegisterCDRReceiver(ctx context.Context, uri string) (Registration, error) {
	list, err := c.CDRReceivers(ctx)
	if err != nil {
		return "", err
	}
	place, found := placeFor(list, uri)
	switch {
	case found && place.URI == uri:
		return Present, nil
	case found:
		return Updated, c.write(ctx, http.MethodPut, cdrReceiversPath+"/"+url.PathEscape(place.ID), uri)
	case list.Maximum > 0 && list.Total >= list.Maximum:
		return "", ErrCDRReceiversFull
	}
	err = c.write(ctx, http.MethodPost, cdrReceiversPath, uri)
	if refused, ok := errors.AsType[*Error](err); ok && refused.Has("tooManyCdrReceivers") {
		return "", ErrCDRReceiversFull
	}
	return Created, err
}

// placeFor finds the entry to use: the very URI, else an entry of ours, else an
// empty place.
func placeFor(list CDRReceivers, uri string) (place CDRReceiver, found bool) {
	rank := func(r CDRReceiver) int {
		switch {
		case r.URI == uri:
			return 3
		case sameTarget(r.URI, uri):
			return 2
		case r.URI == "":
			return 1
		default:
			return 0
		}
	}
	best := 0
	for _, r := range list.Receivers {
		if n := rank(r); n > best {
			place, best = r, n
		}
	}
	return place, best > 0
}

func sameTarget(a, b string) bool {
	u, err := url.Parse(a)
	if err != nil {
		return false
	}
	v, err := url.Parse(b)
	return err == nil && a != "" && u.Scheme == v.Scheme && u.Host == v.Host && u.Path == v.Path
}

// write sends the URI. The reference calls the parameter uri in its tables and
// url in its prose: servers that refuse the one are given the other.
func (c *Client) write(ctx context.Context, method, path, uri string) error {
	err := c.send(ctx, method, path, url.Values{"uri": {uri}})
	if refused, ok := errors.AsType[*Error](err); ok && refused.Has("parameterError") {
		err = c.send(ctx, method, path, url.Values{"url": {uri}})
	}
	if err != nil {
		return fmt.Errorf("register the CDR receiver: %w", err)
	}
	return nil
}
