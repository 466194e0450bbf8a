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
	// singleCDRReceiverPath is the object of servers before R1.8, which have a single
	// receiver instead of a list.
	singleCDRReceiverPath = "/system/cdrReceiver"
)

// CDRReceiver is an entry of the list of receivers to which a Call Bridge posts.
type CDRReceiver struct {
	ID string
	// URI is "" for an empty entry, to which nothing is posted, and for an Unreadable
	// one.
	URI string
	// Unreadable is true if the list has no URI of the entry and the server answers 404
	// for the entry.
	Unreadable bool

	uriStated bool // the answer contains the URI, which may be ""
}

func receiverOf(r object.CDRReceiver) CDRReceiver {
	return CDRReceiver{ID: r.ID, URI: r.URI, uriStated: r.Shown}
}

// CDRReceivers is the list of receivers of one Call Bridge, not of its cluster.
type CDRReceivers struct {
	// Total is the number of entries, empty ones included.
	Total int
	// Maximum is the largest number of entries, 0 if unknown. Known servers have 4.
	Maximum   int
	Receivers []CDRReceiver
}

// countUnreadable counts the entries that cannot be read.
func (l *CDRReceivers) countUnreadable() (n int) {
	for _, e := range l.Receivers {
		if e.Unreadable {
			n++
		}
	}
	return n
}

// Errors of CDRReceivers.
var (
	// ErrSingleCDRReceiver means that the server has a single receiver instead of a list.
	ErrSingleCDRReceiver = errors.New("this Call Bridge is older than R1.8: it has a single CDR receiver (" + singleCDRReceiverPath +
		"), which is left alone; set its URI by hand (web admin interface, Configuration > CDR settings), or upgrade the bridge")
	// ErrNoCDRReceivers means that the server has neither.
	ErrNoCDRReceivers = errors.New("this server has neither a list of CDR receivers nor a single one: " +
		"check that endpoint is the web admin interface of a Call Bridge")
)

// CDRReceivers reads the list.
func (c *Client) CDRReceivers(ctx context.Context) (CDRReceivers, error) {
	list, err := readOnce(ctx, c, cdrReceiversPath, object.DecodeCDRReceivers)
	if err != nil {
		if refused, ok := errors.AsType[*Error](err); ok && refused.unknownObject() {
			return CDRReceivers{}, c.errorWithoutList(ctx, err)
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

// errorWithoutList returns the error for a server without a list. err is its answer.
func (c *Client) errorWithoutList(ctx context.Context, err error) error {
	_, single := c.singleCDRReceiver(ctx)
	if single == nil {
		return ErrSingleCDRReceiver
	}
	if refused, ok := errors.AsType[*Error](single); ok && refused.unknownObject() {
		return fmt.Errorf("%w (%w)", ErrNoCDRReceivers, err)
	}
	return single
}

// singleCDRReceiver reads the receiver of a server without a list.
func (c *Client) singleCDRReceiver(ctx context.Context) (CDRReceiver, error) {
	r, err := readOnce(ctx, c, singleCDRReceiverPath, object.DecodeCDRReceiver)
	return receiverOf(r), err
}

// cdrReceiver reads one entry.
func (c *Client) cdrReceiver(ctx context.Context, id string) (CDRReceiver, error) {
	r, err := readOnce(ctx, c, cdrReceiversPath+"/"+url.PathEscape(id), object.DecodeCDRReceiver)
	return receiverOf(r), err
}

// createCDRReceiver adds an entry and returns its id, or "" if the answer has none.
// parameter is the name of the form parameter for the URI.
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

// idInLocation returns the last element of a Location header, which is a path or a URL, or
// "" for the path of the collection.
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
