// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/legato-otel/legato/internal/meetingserver/api/object"
)

// read reads the object at path, and waits for a busy server: see waitUntilFree.
func read[T any](ctx context.Context, c *Client, path string, decode func([]byte) (T, error)) (value T, err error) {
	body, err := c.readWithRetries(ctx, path)
	if err != nil {
		return value, err
	}
	return decodeBody(path, body, decode)
}

// readOnce reads the object at path in one attempt, for components with their own back-off.
func readOnce[T any](ctx context.Context, c *Client, path string, decode func([]byte) (T, error)) (value T, err error) {
	_, body, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return value, err
	}
	return decodeBody(path, body, decode)
}

func decodeBody[T any](path string, body []byte, decode func([]byte) (T, error)) (T, error) {
	value, err := decode(body)
	if err != nil {
		var none T
		return none, fmt.Errorf("GET %s: %w", path, err)
	}
	return value, nil
}

func (c *Client) readWithRetries(ctx context.Context, path string) (body []byte, err error) {
	for attempt := 1; ; attempt++ {
		if err := c.account.server.waitUntilFree(ctx); err != nil {
			return nil, fmt.Errorf("GET %s: %w", path, err)
		}
		_, body, err = c.do(ctx, http.MethodGet, path, nil)
		answer, ok := errors.AsType[*Error](err)
		if !ok || answer.Status != http.StatusServiceUnavailable || attempt == readAttempts {
			return body, err
		}
	}
}

// SystemStatus reads the status of the Call Bridge.
func (c *Client) SystemStatus(ctx context.Context) (object.Status, error) {
	return read(ctx, c, systemStatusPath, object.DecodeStatus)
}

// Load reads the media load of a Call Bridge.
func (c *Client) Load(ctx context.Context) (object.Load, error) {
	return read(ctx, c, "/system/load", object.DecodeLoad)
}

// Cluster reads the cluster configuration of the server.
func (c *Client) Cluster(ctx context.Context) (object.Cluster, error) {
	return read(ctx, c, clusterConfigurationPath, object.DecodeCluster)
}

// Database reads the state of the database cluster.
func (c *Client) Database(ctx context.Context) (object.Database, error) {
	return read(ctx, c, "/system/database", object.DecodeDatabase)
}

// Licensing reads the licensed features.
func (c *Client) Licensing(ctx context.Context) ([]object.Feature, error) {
	return read(ctx, c, "/system/licensing", object.DecodeLicensing)
}

// CallBridge reads one bridge of the cluster.
func (c *Client) CallBridge(ctx context.Context, id string) (object.CallBridge, error) {
	return read(ctx, c, callBridgesPath+"/"+url.PathEscape(id), object.DecodeCallBridge)
}

// CallLeg reads one leg.
func (c *Client) CallLeg(ctx context.Context, id string) (object.CallLeg, error) {
	return read(ctx, c, callLegsPath+"/"+url.PathEscape(id), object.DecodeCallLeg)
}

const (
	callLegsPath = "/callLegs"
	callsPath    = "/calls"
	// pageLimit is the number of objects asked for in a page. Servers send 10 or 20
	// of them at most.
	pageLimit = 100
)

// Range is the part of a collection that is read.
type Range struct {
	// Offset of the first object.
	Offset int
	// Pages is the most pages that are read, each of one request.
	Pages int
	// Whole is the most pages that are read if they hold the whole collection, as far as
	// the first page tells. It counts from Offset 0 alone, and where it is more than Pages.
	Whole int
}

// Listing is a part of a collection.
type Listing[T any] struct {
	// Total is how many objects the server has, by its last answer.
	Total int
	// Items are those that were read, each once.
	Items []T
	// Complete reports that they are all there are.
	Complete bool
	// Steady reports that nothing was added or removed while the pages were read, as far as
	// can be seen: all of them had the same Total, and Total is how many items came.
	Steady bool
	// Next is the offset behind the last item, 0 at the end of the collection.
	Next int
}

// list reads pages of a collection. The next offset follows from the number of entries
// received: servers have page sizes of their own. An object may stand on two pages, because
// the collection changes in between; it is returned once.
func list[T any](
	ctx context.Context, c *Client, path string, query url.Values, part Range, decode func([]byte) (object.Page[T], error), id func(*T) string,
) (all Listing[T], err error) {
	seen := make(map[string]bool)
	all.Next, all.Steady = part.Offset, true
	limit := part.Pages
	for n := 0; n < limit; n++ {
		if all.Next > 0 {
			query.Set("offset", strconv.Itoa(all.Next))
		}
		page, err := read(ctx, c, withQuery(path, query), decode)
		if err != nil {
			return all, err
		}
		for i := range page.Items {
			if key := id(&page.Items[i]); key == "" || !seen[key] {
				seen[key] = true
				all.Items = append(all.Items, page.Items[i])
			}
		}
		all.Steady = all.Steady && (n == 0 || page.Total == all.Total)
		all.Total = page.Total
		if n == 0 && part.Offset == 0 && len(page.Items) > 0 && pageCount(page.Total, len(page.Items)) <= part.Whole {
			limit = max(limit, part.Whole)
		}
		if all.Next += len(page.Items); len(page.Items) == 0 || all.Next >= page.Total {
			all.Complete, all.Next = part.Offset == 0, 0
			break
		}
	}
	all.Steady = all.Steady && all.Complete && len(all.Items) == all.Total
	return all, nil
}

// pageCount returns the number of pages of a size for a number of items.
func pageCount(items, size int) int { return (items + size - 1) / size }

func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

func limited(n int) url.Values { return url.Values{"limit": {strconv.Itoa(n)}} }

// Alarms reads the active alarms of the server.
func (c *Client) Alarms(ctx context.Context, part Range) (Listing[object.Alarm], error) {
	return list(ctx, c, "/system/alarms", limited(pageLimit), part, object.DecodeAlarms, func(a *object.Alarm) string { return a.ID })
}

// CallLegs reads the list of legs: all, or those with an alarm.
func (c *Client) CallLegs(ctx context.Context, alarmed bool, part Range) (Listing[object.CallLeg], error) {
	query := limited(pageLimit)
	if alarmed {
		query.Set("alarms", "all")
	}
	return list(ctx, c, callLegsPath, query, part, object.DecodeCallLegs, func(l *object.CallLeg) string { return l.ID })
}

// Participants reads the participants of the calls on the bridge, whichever bridge they are
// connected to.
func (c *Client) Participants(ctx context.Context, part Range) (Listing[object.Participant], error) {
	return list(ctx, c, "/participants", limited(pageLimit), part, object.DecodeParticipants, func(p *object.Participant) string { return p.ID })
}

// Calls reads the calls on the bridge.
func (c *Client) Calls(ctx context.Context, part Range) (Listing[object.Call], error) {
	return list(ctx, c, callsPath, limited(pageLimit), part, object.DecodeCalls, func(c *object.Call) string { return c.ID })
}

// Call reads one call.
func (c *Client) Call(ctx context.Context, id string) (object.Call, error) {
	return read(ctx, c, callsPath+"/"+url.PathEscape(id), object.DecodeCall)
}

// CountCalls returns the number of calls on the bridge.
func (c *Client) CountCalls(ctx context.Context) (int, error) {
	page, err := read(ctx, c, withQuery(callsPath, limited(1)), object.DecodeCalls)
	return page.Total, err
}

// CountCoSpaces returns the number of coSpaces of the cluster.
func (c *Client) CountCoSpaces(ctx context.Context) (int, error) {
	page, err := read(ctx, c, withQuery("/coSpaces", limited(1)), object.DecodeCoSpaces)
	return page.Total, err
}
