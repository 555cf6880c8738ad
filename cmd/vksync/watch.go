package main

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"sync"
	"time"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
)

// watched is what a live world is watched with.
type watched struct {
	// begin is the template of the first event: World, which is found out when it is
	// empty, and Site.
	begin journal.Begin
	// sink gets every event, one at a time.
	sink func(journal.Event)
	// health is told how the endpoints are, at first and when that has changed; nil is nobody.
	health func(reconcile.Health)
}

// watchLive hands on what there is in a live world, and then what happens there,
// until ctx ends, which is no error. Once it has begun, connections that are lost
// are made again.
func watchLive(ctx context.Context, c connector, w watched) (err error) {
	endpoints, err := c.endpoints(ctx)
	if err != nil {
		return err
	}
	engine, err := reconcile.Connect(ctx, endpoints)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		err = errors.Join(err, engine.Close(closing))
	}()
	if w.begin.World == "" {
		w.begin.World = "Supervisor " + hostOf(endpoints.Kube.Host)
	}
	var telling sync.WaitGroup
	defer telling.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if w.health != nil {
		telling.Go(func() { tellHealth(ctx, engine, w.health) })
	}
	return engine.Watch(ctx, reconcile.WatchOptions{Journal: journal.NewRecorder(time.Now(), w.sink), Begin: w.begin})
}

// tellHealth tells how the endpoints are whenever that has changed, until ctx ends.
// It asks nobody.
func tellHealth(ctx context.Context, engine *reconcile.Engine, tell func(reconcile.Health)) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	last := engine.Health()
	for tell(last); ; {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		if now := engine.Health(); !reflect.DeepEqual(now, last) {
			last = now
			tell(now)
		}
	}
}

// hostOf is what people call an address.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}
