// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/legato-otel/legato/internal/meetingserver/api/object"
)

const (
	cdrReceiversPath = "/system/cdrReceivers"
	// singleCDRReceiverPath is the object of servers before R1.8, which have one
	// receiver and no list.
	singleCDRReceiverPath = "/system/cdrReceiver"
)

// CDRReceiver is an entry of the list of receivers a Call Bridge posts to.
type CDRReceiver struct {
	ID string
	// URI is "" for an entry that takes a place and posts nowhere, and for one that
	// is Unreadable.
	URI string
	// Unreadable tells that the list shows no URI of the entry, and that the server
	// does not know the entry itself.
	Unreadable bool

	shown bool // the server says what the URI is, though it may be ""
}

func receiverOf(r object.CDRReceiver) CDRReceiver {
	return CDRReceiver{ID: r.ID, URI: r.URI, shown: r.Shown}
}

// CDRReceivers is the list; it belongs to one Call Bridge, not to its cluster.
type CDRReceivers struct {
	// Total is how many entries there are, empty ones included.
	Total int
	// Maximum is how many there can be; 4 on every server seen, 0 if it does not say.
	Maximum   int
	Receivers []CDRReceiver
}

// unreadable counts the entries that cannot be read.
func (l *CDRReceivers) unreadable() (n int) {
	for _, e := range l.Receivers {
		if e.Unreadable {
			n++
		}
	}
	return n
}

// Errors of CDRReceivers.
var (
	// ErrSingleCDRReceiver is the error of a server with one receiver and no list.
	ErrSingleCDRReceiver = errors.New("this Call Bridge is older than R1.8: it has a single CDR receiver (" + singleCDRReceiverPath +
		"), which is left alone; set its URI by hand (web admin interface, Configuration > CDR settings), or upgrade the bridge")
	// ErrNoCDRReceivers is the error of a server that knows neither.
	ErrNoCDRReceivers = errors.New("this server has neither a list of CDR receivers nor a single one: " +
		"check that endpoint is the web admin interface of a Call Bridge")
)

// CDRReceivers reads the list.
func (c *Client) CDRReceivers(ctx context.Context) (CDRReceivers, error) {
	list, err := readOnce(ctx, c, cdrReceiversPath, object.DecodeCDRReceivers)
	if err != nil {
		if refused, ok := errors.AsType[*Error](err); ok && refused.unknownObject() {
			return CDRReceivers{}, c.withoutList(ctx, err)
		}
		return CDRReceivers{}, err
	}
	all := CDRReceivers{Total: list.Total}
	if list.Maximum != nil {
		all.Maximum = int(min(*list.Maximum, math.MaxInt32))
	}
	for _, r := range list.Receivers {
		all.Receivers = append(all.Receivers, receiverOf(r))
	}
	return all, nil
}

// withoutList says which kind of server has no list. err is its answer.
func (c *Client) withoutList(ctx context.Context, err error) error {
	_, single := c.singleCDRReceiver(ctx)
	if single == nil {
		return ErrSingleCDRReceiver
	}
	if refused, ok := errors.AsType[*Error](single); ok && refused.unknownObject() {
		return fmt.Errorf("%w (%w)", ErrNoCDRReceivers, err)
	}
	return single
}

// singleCDRReceiver reads the receiver of a server that has no list.
func (c *Client) singleCDRReceiver(ctx context.Context) (CDRReceiver, error) {
	r, err := readOnce(ctx, c, singleCDRReceiverPath, object.DecodeCDRReceiver)
	return receiverOf(r), err
}

// cdrReceiver reads one entry.
func (c *Client) cdrReceiver(ctx context.Context, id string) (CDRReceiver, error) {
	r, err := readOnce(ctx, c, cdrReceiversPath+"/"+url.PathEscape(id), object.DecodeCDRReceiver)
	return receiverOf(r), err
}

// createCDRReceiver adds an entry and returns its id, "" if the server does not
// name it. parameter is the name of the form's parameter.
func (c *Client) createCDRReceiver(ctx context.Context, parameter, uri string) (id string, err error) {
	header, _, err := c.do(ctx, http.MethodPost, cdrReceiversPath, url.Values{parameter: {uri}})
	if err != nil {
		return "", err
	}
	return idInLocation(header.Get("Location")), nil
}

func (c *Client) updateCDRReceiver(ctx context.Context, id, parameter, uri string) error {
	return c.send(ctx, http.MethodPut, cdrReceiversPath+"/"+url.PathEscape(id), url.Values{parameter: {uri}})
}

// idInLocation returns the last element of a Location header, which is a path or
// a URL. A location that is the collection itself names no entry.
func idInLocation(location string) string {
	u, err := url.Parse(strings.TrimSpace(location))
	if err != nil || u.Path == "" {
		return ""
	}
	id := path.Base(u.Path)
	if id == "/" || id == "." || strings.EqualFold(id, path.Base(cdrReceiversPath)) {
		return ""
	}
	return id
}
