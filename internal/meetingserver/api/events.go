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
	// tokenHeader is the header with the token; the answer has no body.
	tokenHeader = "X-Cisco-CMS-Auth-Token" //nolint:gosec // the name of a header
)

// ErrNoToken means that the answer to a request for a token has none.
var ErrNoToken = errors.New("POST " + authTokensPath + ": the answer has no " + tokenHeader)

// AuthToken requests a token that opens one event socket. Its lifetime is not documented:
// request a new one for each connection.
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

// Status requests the system status and ignores its content. An *[Error] also shows that the
// server answers.
func (c *Client) Status(ctx context.Context) error {
	_, _, err := c.do(ctx, http.MethodGet, systemStatusPath, nil)
	return err
}
