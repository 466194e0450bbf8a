// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"net/http"
)

const (
	authTokensPath   = "/authTokens" //nolint:gosec // a path
	systemStatusPath = "/system/status"
	// tokenHeader holds the token; the answer has no body.
	tokenHeader = "X-Cisco-CMS-Auth-Token" //nolint:gosec // the name of a header, not what it holds
)

// ErrNoToken says that a server answered a request for a token without one.
var ErrNoToken = errors.New("POST " + authTokensPath + ": the answer has no " + tokenHeader)

// AuthToken asks for a token that opens one event socket. How long it lives is
// not documented: ask for a new one for each connection.
func (c *Client) AuthToken(ctx context.Context) (string, error) {
	header, _, err := c.do(ctx, http.MethodPost, authTokensPath, nil)
	if err != nil {
		return "", err
	}
	if token := header.Get(tokenHeader); token != "" {
		return token, nil
	}
	return "", ErrNoToken
}

// Status asks for the system's status, whose content is of no interest. Any
// *[Error] is an answer too: the server is there.
func (c *Client) Status(ctx context.Context) error {
	_, _, err := c.do(ctx, http.MethodGet, systemStatusPath, nil)
	return err
}
