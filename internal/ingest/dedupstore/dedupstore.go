// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package dedupstore stores a [dedup.Set] with a storage client: the list of its segments
// under one key, and each segment under <key>/<id>. It waits in the storage only. The tests
// of the receivers cover it.
package dedupstore

import (
	"context"
	"errors"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/legato-otel/legato/internal/ingest/dedup"
)

// Restore fills a set with the state under a storage key. Restored keys expire after window
// at the latest.
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
	set.MarkAccepted(nil, now) // drops expired segments and those above the limit
	return errs
}

// Append appends the operations that store a snapshot under a storage key.
func Append(operations []*storage.Operation, key string, keys *dedup.Changes) []*storage.Operation {
	if keys.List != nil {
		operations = append(operations, storage.SetOperation(key, keys.List))
	}
	for _, segment := range keys.Segments {
		operations = append(operations, storage.SetOperation(segmentKey(key, segment.ID), segment.Value))
	}
	for _, id := range keys.Deleted {
		operations = append(operations, storage.DeleteOperation(segmentKey(key, id)))
	}
	return operations
}

func segmentKey(list string, id uint64) string { return list + "/" + strconv.FormatUint(id, 10) }
