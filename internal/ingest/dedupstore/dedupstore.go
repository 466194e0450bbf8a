// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package dedupstore keeps a [dedup.Set] in a storage client: the list of its segments
// under one key, and each segment under a key below it. It waits only in the storage.
package dedupstore

import (
	"context"
	"errors"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/legato-otel/legato/internal/ingest/dedup"
)

// Restore fills a set from what Append stored under a key. No key stays known for longer
// than window.
func Restore(ctx context.Context, client storage.Client, key string, set *dedup.Set, window time.Duration) error {
	list, err := client.Get(ctx, key)
	if err != nil || list == nil {
		return err
	}
	first, last, err := dedup.ParseList(list)
	if err != nil {
		return err
	}
	now := time.Now()
	var errs error
	for id := first; id <= last; id++ {
		segment, err := client.Get(ctx, segmentKey(key, id))
		if err == nil {
			err = set.Restore(id, segment, now.Add(window))
		}
		errs = errors.Join(errs, err)
	}
	set.Accept(nil, now) // what is over, or too much, goes
	return errs
}

// Append appends the operations that store a snapshot, whose list has the key.
func Append(operations []*storage.Operation, key string, keys *dedup.Snapshot) []*storage.Operation {
	if keys.List != nil {
		operations = append(operations, storage.SetOperation(key, keys.List))
	}
	for _, segment := range keys.Segments {
		operations = append(operations, storage.SetOperation(segmentKey(key, segment.ID), segment.Stored))
	}
	for _, id := range keys.Gone {
		operations = append(operations, storage.DeleteOperation(segmentKey(key, id)))
	}
	return operations
}

func segmentKey(list string, id uint64) string { return list + "/" + strconv.FormatUint(id, 10) }
