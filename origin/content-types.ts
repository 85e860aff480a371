/** The content-type of a file by its name. */
export function contentTypeOf(_name: string): string {
  return 'application/octet-stream'
}
