// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"net/url"

	"github.com/legato-otel/legato/internal/meetingserver/api/object"
)

const (
	clusterConfigurationPath = "/system/configuration/cluster"
	callBridgesPath          = "/callBridges"
	// maxCallBridgePages is the largest number of pages that are read. A page has at
	// least one entry.
	maxCallBridgePages = 64
)

// CallBridges reads the bridges of the cluster, including the server itself.
func (c *Client) CallBridges(ctx context.Context) (Listing[object.CallBridge], error) {
	return c.callBridges(ctx, Range{Pages: maxCallBridgePages})
}

func (c *Client) callBridges(ctx context.Context, part Range) (Listing[object.CallBridge], error) {
	return list(ctx, c, callBridgesPath, url.Values{}, part, object.DecodeCallBridges, func(b *object.CallBridge) string { return b.ID })
}

// CallBridgeID returns the id of the server itself among the Call Bridges of its
// cluster, "" if it is in none: see [object.Own].
func (c *Client) CallBridgeID(ctx context.Context) (string, error) {
	cluster, err := c.Cluster(ctx)
	if err != nil || cluster.UniqueName == "" {
		return "", err
	}
	for offset, page := 0, 0; page < maxCallBridgePages; page++ {
		bridges, err := c.callBridges(ctx, Range{Offset: offset, Pages: 1})
		if err != nil {
			return "", err
		}
		if own, found := object.FindOwn(cluster, bridges.Items); found {
			return own.ID, nil
		}
		if offset = bridges.Next; offset == 0 {
			break
		}
	}
	return "", nil
}
