import { describe, expect, it } from 'vitest';
import { editDistance, meantWords, plain, wordsOf } from '../../../src/config/provision/keyWords.ts';

describe('a key in any style', () => {
  it.each(['use_ssl', 'useSsl', 'UseSSL', 'USE-SSL', 'use ssl', 'use.ssl', 'USESSL'])('%s is usessl', (key) => {
    expect(plain(key)).toBe('usessl');
  });

  it.each([
    ['use_tls', 'use_tls'],
    ['useTLS', 'use_tls'],
    ['TLSVersion', 'tls_version'],
    ['MQTT-over-TLS', 'mqtt_over_tls'],
    ['x509Cert', 'x509_cert'],
  ])('the words of %s are %s', (key, words) => {
    expect(wordsOf(key)).toBe(words);
  });
});

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['port', 'prot', 2],
    ['host', 'hosts', 1],
    ['kitten', 'sitting', 3],
  ])('from %j to %j is %d', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });
});

describe('the word that was meant', () => {
  const known = ['ssl', 'host', 'hostname', 'port', 'devicekey', 'devicename', 'serverport', 'serverhost'];

  it.each([
    ['hosts', ['host']],
    ['hots', ['host']],
    ['prot', ['port']],
    ['devikekey', ['devicekey']],
    ['devicekez', ['devicekey']],
    ['devcekex', ['devicekey']],
    ['serverprot', ['serverport']],
    // Two errors for serverhost, one for serverport.
    ['serverporst', ['serverport']],
    // Both are one replacement away, so both are named.
    ['serverpost', ['serverport', 'serverhost']],
  ])('%s is a typing error of %j', (word, meant) => {
    expect(meantWords(word, known)).toEqual(meant);
  });

  it.each(['ssh', 'sssl', 'note', 'comment', 'site', 'hoses', 'devicexyz', 'h'.repeat(10_000)])(
    '%s is none',
    (word) => {
      expect(meantWords(word, known)).toEqual([]);
    },
  );
});
