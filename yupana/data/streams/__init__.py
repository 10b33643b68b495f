"""Streams: messages of sensors that arrive one by one, published batch by batch.

    broker, folder  →  home/streams/<data set>/<number>/   a batch on the disk, then acknowledged
                    →  landing, staging, audit, quarantine, publication: as a file

A batch is numbered, and its number is a transaction of the published Delta table. Whatever is
killed, a batch that stands is published once, and messages before it stand are read again.
"""
