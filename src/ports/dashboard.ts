/// The dashboard as it was built: the files of a web page, in memory. Whatever a page may name is in here, under the name by
/// which it is asked for; nothing else is served.

export interface Asset {
  /// `text/javascript; charset=utf-8`
  readonly type: string
  readonly bytes: Uint8Array
}

export interface Dashboard {
  /// HTML.
  readonly page: Uint8Array
  /// By file name, such as `index-BqQr3J.js`. A name has a digest of its content in it: another content has another name.
  readonly assets: ReadonlyMap<string, Asset>
}
