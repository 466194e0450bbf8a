// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapi

import (
	"context"
	"fmt"
)

const (
	clusterConfigurationPath = "/system/configuration/cluster"
	callBridgesPath          = "/callBridges"
	// maxCallBridgePages bounds the pages read of a list whose total does not
	// come nearer; a page has one entry at least.
	maxCallBridgePages = 64
)

// CallBridgeID returns the id of the server itself among the Call Bridges of its
// cluster, "" if it is in none: the entry of /callBridges whose name is the
// uniqueName of /system/configuration/cluster.
func (c *Client) CallBridgeID(ctx context.Context) (string, error) {
	var own struct {
		Name string `xml:"uniqueName"`
	}
	if err := c.get(ctx, clusterConfigurationPath, &own); err != nil {
		return "", err
	}
	if own.Name == "" {
		return "", nil
	}
	for offset, page := 0, 0; page < maxCallBridgePages; page++ {
		var list struct {
			Total   int `xml:"total,attr"`
			Bridges []struct {
				ID   string `xml:"id,attr"`
				Name string `xml:"name"`
			} `xml:"callBridge"`
		}
		path := callBridgesPath
		if offset > 0 {
			path = fmt.Sprintf("%s?offset=%d", callBridgesPath, offset)
		}
		if err := c.get(ctx, path, &list); err != nil {
			return "", err
		}
		for _, b := range list.Bridges {
			if b.Name == own.Name {
				return b.ID, nil
			}
		}
		// The server's own page size counts, whatever is asked for.
		if offset += len(list.Bridges); len(list.Bridges) == 0 || offset >= list.Total {
			break
		}
	}
	return "", nil
}
