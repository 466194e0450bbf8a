// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// owner is who runs the server, if not who runs the test: PostgreSQL refuses to
// run as root.
func owner() (uid, gid int, other bool, err error) {
	if os.Getuid() != 0 {
		return 0, 0, false, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return 0, 0, false, ErrNotInstalled
	}
	uid, err1 := strconv.Atoi(account.Uid)
	gid, err2 := strconv.Atoi(account.Gid)
	return uid, gid, true, errors.Join(err1, err2)
}

// own gives the directory to the owner.
func (s *Server) own() error {
	uid, gid, other, err := owner()
	if err != nil || !other {
		return err
	}
	return os.Chown(s.dir, uid, gid)
}

// as makes a command run as the owner.
func (s *Server) as(cmd *exec.Cmd) error {
	uid, gid, other, err := owner()
	if err != nil || !other {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}} //nolint:gosec // ids are small
	cmd.Env = append(os.Environ(), "HOME="+s.dir)
	return nil
}

// kill kills a postmaster and the processes it started, and waits until they are
// gone.
func kill(pid int) error {
	family := []int{pid}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err == nil && parent(child) == pid {
			family = append(family, child)
		}
	}
	// The postmaster first, so that it restarts no other process.
	for _, p := range family {
		if err := syscall.Kill(p, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	for range 1000 {
		alive := false
		for _, p := range family {
			alive = alive || running(p)
		}
		if !alive {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("process %d does not die", pid)
}

// stat returns the state and the parent of a process.
func stat(pid int) (state string, parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 2 {
		return "", 0
	}
	parent, _ = strconv.Atoi(fields[1])
	return fields[0], parent
}

func parent(pid int) int {
	_, p := stat(pid)
	return p
}

func running(pid int) bool {
	state, _ := stat(pid)
	return state != "" && state != "Z" && state != "X"
}
