// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package postgres

import "os/exec"

func (*Server) own() error         { return ErrNotInstalled }
func (*Server) as(*exec.Cmd) error { return ErrNotInstalled }
func kill(int) error               { return ErrNotInstalled }
